import ArgumentParser
import GateBackup
import GateCore
import GatehouseApp

struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Put a backup in the place of the data, while no server runs; or check one.",
        discussion: """
            All of the backup is checked first. Sessions end and keys are made anew, since what was revoked after the backup is not known \
            any more; passwords work. What was there is moved aside, never deleted.
            """)

    @Argument(help: "The backup.") var file: String
    @Flag(name: .long, help: "Only check it: read all of it, and open the database in it. Nothing is changed.") var verify = false
    @Flag(name: .long, help: "Also where there is data; it is moved aside.") var replace = false
    @Flag(name: .long, help: "Leave sessions and keys as they are in the backup. Sessions that were ended since come back.")
    var keepSessions = false
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Decrypt with the secret keys in this file, as age-keygen makes it. A passphrase is asked for.", valueName: "file"))
    var identity: String?
    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let configuration = verify ? nil : try options.load().configuration
        let report = try naming { () throws(BackupError) in
            var keys = AgeKeys { try Terminal.readPassphrase(prompt: "Passphrase of the backup") }
            if let identity {
                keys.identities = try AgeIdentity.read(String(decoding: FileSource(identity).all(limit: 1 << 20), as: UTF8.self))
            }
            return Restore(try FileSource(file), keys: keys, time: SystemTime(), entropy: SystemEntropy())
        }
        let answer =
            if let configuration {
                try report.run(configuration, replacing: replace, keepingSessions: keepSessions).json
            } else {
                try naming { () throws(BackupError) in try report.verify().json }
            }
        if output.json { return Terminal.say(answer.text) }
        let counts = ["users", "organisations", "sessions"].map { "\(answer[$0]?.integer ?? 0) \($0)" }.joined(separator: ", ")
        Terminal.say(
            "\(verify ? "The backup is sound" : "Restored"): made \(answer["created_at"]?.string ?? "") by gatehouse "
                + "\(answer["version"]?.string ?? ""), schema \(answer["schema_version"]?.integer ?? 0); \(counts)"
                + (answer["secrets"] == true ? "; with secrets" : ""))
        if let replaced = answer["replaced"]?.string {
            Terminal.say("What was there before is in \(replaced): delete it when it is not needed.")
        }
        if answer["sessions_ended"] == true {
            Terminal.say("Every session has ended: people sign in again, with the passwords of the backup.")
        }
    }
}
