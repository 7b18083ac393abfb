import ArgumentParser
import GateCore
import GatehouseApp

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check the configuration: every fault at once, or the whole effective configuration with secrets redacted.")

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let loaded = try options.load()
        Terminal.say(output.json ? loaded.json.text : loaded.report)
    }
}
