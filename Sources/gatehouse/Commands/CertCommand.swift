import ArgumentParser
import GateCore
import GatehouseApp

struct CertCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cert", abstract: "See the certificates, and renew them now.", subcommands: [Status.self, Renew.self])

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show each certificate: its names, who issued it, when it expires, what happens next, what went wrong last.",
            discussion: "Without a running server, what is stored in the data folder is shown.")

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let answer = try await options.operate { try await $0.call("GET", "/admin/certificates") }
            CertificateTable.show(answer, output)
        }
    }

    struct Renew: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Renew now what is due, without waiting for the next attempt, and tell how it went.",
            discussion: "With --force also what is good for long yet. Authorities limit how often a name may be certified.")

        @Argument(help: "The certificate for this name; all if it is left out.") var name: String?
        @Flag(name: .long, help: "Also where nothing is due.") var force = false
        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let query = ["name": name, "force": force ? "true" : nil].compactMapValues { $0 }
            let (answer, failed) = try await options.operate(needsServer: true) { connection in
                let before = try await connection.call("GET", "/admin/certificates")
                var answer = try await connection.call("POST", "/admin/certificates/renew", query: query)
                // An authority takes as long as it takes; this only stops watching.
                for _ in 0..<600 where CertificateTable.isBusy(answer) {
                    try await Task.sleep(for: .milliseconds(500))
                    answer = try await connection.call("GET", "/admin/certificates")
                }
                return (answer, CertificateTable.hasFailed(answer, since: before))
            }
            CertificateTable.show(answer, output)
            if failed { throw CommandFailure(.failure, "The certificate was not renewed: see the last problem above.") }
        }
    }
}

/// What the two commands print.
private enum CertificateTable {
    static func isBusy(_ answer: JSON) -> Bool { certificates(answer).contains { $0["busy"] == true } }

    /// Whether a certificate has a problem that it did not have then. A success takes the old one away.
    static func hasFailed(_ answer: JSON, since before: JSON) -> Bool {
        zip(problems(answer), problems(before)).contains { now, then in now != nil && now != then }
    }

    private static func problems(_ answer: JSON) -> [String?] { certificates(answer).map { $0["last_problem"]?["at"]?.string } }

    static func show(_ answer: JSON, _ output: OutputOptions) {
        if output.json { return Terminal.say(answer.text) }
        let all = certificates(answer)
        guard !all.isEmpty else { return Terminal.say("There are no certificates: tls.mode is off.") }
        let rows = all.map { certificate in
            let next = [certificate["next_action"]?.string, certificate["next_action_at"]?.string].compactMap { $0 }
            return [
                (certificate["names"]?.array ?? []).compactMap(\.string).joined(separator: ", "), certificate["status"]?.string ?? "",
                certificate["issuer"]?.string ?? "", certificate["not_after"]?.string ?? "",
                certificate["busy"] == true ? "ordering now" : next.joined(separator: " at "),
            ]
        }
        Terminal.table(["NAMES", "STATUS", "ISSUER", "EXPIRES", "NEXT"], rows)
        for certificate in all {
            guard let problem = certificate["last_problem"], let message = problem["message"]?.string else { continue }
            let names = (certificate["names"]?.array ?? []).compactMap(\.string).joined(separator: ", ")
            Terminal.say("\nLast problem of \(names), \(problem["at"]?.string ?? ""):")
            Terminal.paragraph(message)
        }
    }

    private static func certificates(_ answer: JSON) -> [JSON] { answer["certificates"]?.array ?? [] }
}
