import ArgumentParser
import GateCore
import GatehouseApp

struct SessionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "session", abstract: "List and end sessions.", subcommands: [List.self, Revoke.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the live sessions of an account, the last used first.")

        @Argument(help: "Its id or e-mail address.") var user: String
        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let answer = try await options.operate { try await $0.call("GET", "/admin/users/\(escaped(user))/sessions") }
            if output.json { return Terminal.say(answer.text) }
            let rows = (answer["sessions"]?.array ?? []).map { session in
                ["id", "last_used_at", "expires_at", "address", "device"].map { session[$0]?.string ?? "" }
            }
            Terminal.table(["ID", "LAST USED", "EXPIRES", "ADDRESS", "DEVICE"], rows)
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "End one session, or all of an account: its tokens are dead at once.")

        @Argument(help: "The session's id.") var session: String?
        @Option(name: .long, help: ArgumentHelp("End all sessions of this account.", valueName: "id or e-mail")) var user: String?
        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func validate() throws {
            guard (session == nil) != (user == nil) else { throw ValidationError("Give either a session's id or --user.") }
        }

        func run() async throws {
            let path = session.map { "/admin/sessions/\(escaped($0))" } ?? "/admin/users/\(escaped(user ?? ""))/sessions"
            let answer = try await options.operate { try await $0.call("DELETE", path) }
            Terminal.say(output.json ? answer.text : "\(answer["ended"]?.integer ?? 0) ended.")
        }
    }
}
