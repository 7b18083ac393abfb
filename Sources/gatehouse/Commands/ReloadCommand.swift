import ArgumentParser
import GateCore
import GatehouseApp

struct ReloadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload", abstract: "Let the running server read its configuration again.",
        discussion: """
            Sites, limits, certificates, CORS, headers and what is logged change without a lost request; what needs a restart is named. \
            A faulty configuration is refused with every fault (exit code 78), and the one before goes on. SIGHUP does the same.
            """)

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let answer = try await options.operate(needsServer: true) { try await $0.call("POST", "/admin/reload") }
        let faults = texts(answer["faults"])
        if output.json { Terminal.say(answer.text) }
        guard faults.isEmpty else {
            throw CommandFailure(
                .configuration,
                (["The server refuses the configuration, and goes on with the one before:"] + faults).joined(separator: "\n"))
        }
        if output.json { return }
        let changed = texts(answer["changed"])
        Terminal.say(changed.isEmpty ? "Nothing has changed." : "Changed: \(changed.joined(separator: ", ")).")
        for notice in texts(answer["notices"]) { Terminal.say("Note: \(notice)") }
        let waiting = texts(answer["needs_restart"])
        if !waiting.isEmpty {
            Terminal.say("Changed in the configuration, but in force after a restart only: \(waiting.joined(separator: ", ")).")
        }
    }

    private func texts(_ list: JSON?) -> [String] { (list?.array ?? []).compactMap(\.string) }
}
