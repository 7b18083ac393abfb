import ArgumentParser
import GateCore
import GatehouseApp

struct SecretCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "secret", abstract: "Keep the server's secrets.", subcommands: [Rotate.self])

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make new keys. Tokens signed with the old ones stay good until they expire.",
            discussion: "Of several instances on one Postgres, any one does it for all, and none has to be restarted.")

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let answer = try await options.operate { try await $0.call("POST", "/admin/secrets/rotate") }
            Terminal.say(output.json ? answer.text : answer["done"]?.string ?? "Done.")
        }
    }
}
