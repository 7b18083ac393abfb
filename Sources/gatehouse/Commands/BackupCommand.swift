import ArgumentParser
import GateBackup
import GateCore
import GatehouseApp
import Glibc

struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Back the database up while the server runs, and list backups.",
        subcommands: [Create.self, List.self], defaultSubcommand: Create.self)

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a backup: a compressed archive that was checked after it was written.",
            discussion: """
                The running server makes it, without keeping a write waiting; where none runs, this command does. It holds the database; \
                with --include-secrets also secrets.toml and the certificates with their keys. tar(1) reads it; age(1) one that is encrypted.
                """)

        @Argument(
            help:
                "The file to write, or the folder to write it to; - for standard output. Without it, backup.directory, where old backups are deleted."
        )
        var file: String?
        @Flag(name: .long, help: "Also the server's secrets, and its certificates with their keys.") var includeSecrets = false
        @Option(name: .long, help: ArgumentHelp("Encrypt it to this public key of age; may be repeated.", valueName: "age1…"))
        var recipient: [String] = []
        @Flag(name: .long, help: "Encrypt it with a passphrase, which is asked for or read from standard input.") var passphrase = false
        @Flag(name: .long, help: "As the timer makes it: what becomes of it is what the health call tells of.") var scheduled = false
        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func validate() throws {
            guard recipient.isEmpty || !passphrase else { throw ValidationError("Give either --recipient or --passphrase.") }
            guard file == nil || !scheduled else { throw ValidationError("A scheduled backup is written to backup.directory.") }
            guard file != "-" || !output.json else { throw ValidationError("Standard output takes either the backup or --json.") }
        }

        func run() async throws {
            if let file, file != "-" { try naming { () throws(BackupError) in try BackupDelivery.check(file) } }
            var members: [JSON.Member] = [
                .init("scheduled", scheduled ? "true" : "false"), .init("staged", file == nil ? "false" : "true"),
                .init("include_secrets", includeSecrets ? "true" : "false"), .init("recipients", .string(recipient.joined(separator: ","))),
            ]
            if passphrase {
                let secret = try Terminal.readPassword(prompt: "Passphrase for the backup")
                members.append(.init("passphrase", .string(String(decoding: secret.exposed, as: UTF8.self))))
            }
            let body = JSON.object(members)
            let made = try await options.operate { connection in
                let made = try await connection.call("POST", "/admin/backups", body: body, timeLimit: .seconds(24 * 3600))
                if let error = made["error"] { throw failure(error) }
                guard let file, let staged = made["file"]?.string else { return made }
                do {
                    let placed = try DataFolderOwner.asOperator { try fetch(staged, to: file) }
                    try await discard(staged, connection)
                    return made.replacing("file", with: .string(placed))
                } catch {
                    try? await discard(staged, connection)
                    throw error
                }
            }
            report(made)
        }

        /// - Returns: where it is.
        private func fetch(_ staged: String, to file: String) throws -> String {
            try naming { () throws(BackupError) in
                if file == "-" {
                    try FileSource(staged).drain(to: StandardOutput())
                    return file
                }
                let path = BackupDelivery.destination(file, name: Folders.name(of: staged))
                do throws(BackupError) {
                    try BackupDelivery.deliver(staged, to: path)
                } catch {
                    // Whoever became another user for this command (sudo -u) may write there from their own shell.
                    guard error.kind == .notPermitted else { throw error }
                    throw BackupError(.notPermitted, "\(error); to write it as who you are: gatehouse backup - > \(path)")
                }
                return path
            }
        }

        private func discard(_ staged: String, _ connection: AdminConnection) async throws {
            _ = try await connection.call("DELETE", "/admin/backups/staged/\(escaped(Folders.name(of: staged)))")
        }

        private func failure(_ error: JSON) -> CommandFailure {
            let code = error["exit_code"]?.integer.flatMap { CommandFailure.Code(rawValue: Int32(truncatingIfNeeded: $0)) }
            return CommandFailure(code ?? .failure, error["message"]?.string ?? "The backup failed.")
        }

        private func report(_ made: JSON) {
            if made["secrets"] == true, made["encrypted"] != true {
                Terminal.complain("the backup holds this server's keys and is not encrypted: keep it where nobody else can read it")
            }
            if file == "-" { return }
            if output.json { return Terminal.say(made.text) }
            Terminal.say(
                "\(made["file"]?.string ?? ""): \(made["size"]?.integer ?? 0) bytes, checked\(made["encrypted"] == true ? ", encrypted" : "")"
            )
            for name in (made["deleted"]?.array ?? []).compactMap(\.string) { Terminal.say("deleted \(name)") }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the backups in backup.directory, the newest first, and what became of the last one.")

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let answer = try await options.operate { try await $0.call("GET", "/admin/backups") }
            if output.json { return Terminal.say(answer.text) }
            let backups = answer["backups"]?.array ?? []
            if backups.isEmpty {
                Terminal.say("There are no backups in \(answer["directory"]?.string ?? "").")
            } else {
                Terminal.table(
                    ["MADE", "BYTES", "ENCRYPTED", "FILE"],
                    backups.map { backup in
                        [
                            backup["created_at"]?.string ?? "", "\(backup["size"]?.integer ?? 0)",
                            backup["encrypted"] == true ? "yes" : "no",
                            backup["file"]?.string ?? "",
                        ]
                    })
            }
            if let failure = answer["state"]?["last_failure"], let reason = failure["reason"]?.string {
                Terminal.say("\nThe last one that failed, \(failure["at"]?.string ?? ""):")
                Terminal.paragraph(reason)
            }
        }
    }
}

/// Standard output as what a backup is copied to.
private final class StandardOutput: ByteSink {
    func write(_ bytes: UnsafeRawBufferPointer) throws(BackupError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(STDOUT_FILENO, rest.baseAddress, rest.count)
            if count >= 0 {
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            } else if errno != EINTR {
                throw BackupError(.failed, "standard output cannot be written to: \(String(cString: strerror(errno)))")
            }
        }
    }

    func finish() throws(BackupError) {}
}

/// Runs what fails with `BackupError`, and gives that its exit code.
func naming<Result>(_ body: () throws(BackupError) -> Result) throws(CommandFailure) -> Result {
    do throws(BackupError) { return try body() } catch { throw CommandFailure(error) }
}

extension JSON {
    fileprivate func replacing(_ name: String, with value: JSON) -> JSON {
        .object((members ?? []).map { $0.name == name ? Member(name, value) : $0 })
    }
}
