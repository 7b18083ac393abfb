import ArgumentParser
import GateCore
import GatehouseApp

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Show the version, and those of the libraries.")

    @OptionGroup var output: OutputOptions

    func run() {
        let versions = GatehouseVersion.all
        if output.json {
            Terminal.say(JSON.object(versions.map { JSON.Member($0.name, .string($0.version)) }).text)
        } else {
            for version in versions { Terminal.say("\(version.name) \(version.version)") }
        }
    }
}
