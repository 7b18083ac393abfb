import ArgumentParser
import GateCore
import GatehouseApp

struct LimitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limit", abstract: "See who is being limited, and let them in again.", subcommands: [List.self, Clear.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List what the running server has counted, the nearest to its limit first.")

        @Option(name: .long, help: "Only this policy.") var policy: String?
        @Option(name: .long, help: "How many at most, up to 1000.") var limit = 100
        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let query = ["limit": "\(limit)", "policy": policy].compactMapValues { $0 }
            let answer = try await options.operate(needsServer: true) { try await $0.call("GET", "/admin/limits", query: query) }
            if output.json { return Terminal.say(answer.text) }
            let rows = (answer["limits"]?.array ?? []).map { usage in
                [
                    usage["policy"]?.string ?? "", usage["subject"]?.string ?? "",
                    "\(usage["used"]?.integer ?? 0)/\(usage["limit"]?.integer ?? 0)", "\(usage["reset_after"]?.integer ?? 0)s",
                ]
            }
            Terminal.table(["POLICY", "WHO", "USED", "NEXT FREE IN"], rows)
        }
    }

    struct Clear: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Forget what has been counted: whoever was limited is let in again.")

        @Flag(name: .long, help: "Everything.") var all = false
        @Option(name: .long, help: "One policy.") var policy: String?
        @Option(name: .long, help: ArgumentHelp("One address or network.", valueName: "cidr")) var network: String?
        @Option(name: .long, help: ArgumentHelp("One signed-in account.", valueName: "id or e-mail")) var user: String?
        @Option(name: .long, help: ArgumentHelp("The log-ins tried for one address, failed ones among them.", valueName: "address"))
        var email: String?
        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func validate() throws {
            let given = [policy, network, user, email].compactMap { $0 }.count + (all ? 1 : 0)
            guard given == 1 else { throw ValidationError("Give exactly one of --all, --policy, --network, --user and --email.") }
        }

        func run() async throws {
            let query = ["all": all ? "true" : nil, "policy": policy, "network": network, "user": user, "email": email].compactMapValues {
                $0
            }
            let answer = try await options.operate(needsServer: true) { try await $0.call("DELETE", "/admin/limits", query: query) }
            Terminal.say(output.json ? answer.text : "\(answer["cleared"]?.integer ?? 0) cleared.")
        }
    }
}
