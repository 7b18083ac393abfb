import ArgumentParser
import GateCore
import GatehouseApp

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check the configuration: every fault at once, or the whole effective configuration with secrets redacted.")

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    @Flag(name: .long, help: "Print a TOML file with every setting explained, and check nothing.") var reference = false
    @Flag(name: .long, help: "Print an .env file with every variable explained, and check nothing.") var envExample = false

    func run() throws {
        if reference {
            return output.json ? Terminal.say(Configuration.referenceJSON.text) : Terminal.show(Configuration.reference())
        }
        if envExample { return Terminal.show(Configuration.environmentExample()) }
        let loaded = try options.load()
        do throws(ConfigurationFaults) { try loaded.configuration.checkFiles() } catch { throw CommandFailure(error) }
        if output.json { Terminal.say(loaded.json.text) } else { Terminal.show(loaded.report) }
    }
}
