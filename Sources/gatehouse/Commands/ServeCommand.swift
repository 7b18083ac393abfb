import ArgumentParser
import GatehouseApp
import Glibc
import Logging

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the server in the foreground, until SIGTERM or SIGINT.",
        discussion: """
            Without any configuration it listens on http://127.0.0.1:8080 and keeps its data in ./gatehouse-data. Options win over \
            environment variables, those over --env-file, that over --config.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Option(name: .long, help: ArgumentHelp("Listen here; may be repeated.", valueName: "address")) var listen: [String] = []
    @Option(name: .long, help: ArgumentHelp("Listen for HTTPS here; may be repeated.", valueName: "address")) var listenHttps: [String] = []
    @Option(name: .long, help: ArgumentHelp("The address that clients use.", valueName: "url")) var publicUrl: String?
    @Option(name: .long, help: ArgumentHelp("trace, debug, info, notice, warning, error or critical.", valueName: "level")) var logLevel:
        String?
    @Option(name: .long, help: ArgumentHelp("auto, json or text.", valueName: "format")) var logFormat: String?

    func run() async throws {
        var flags = listen.map { ("--listen", $0) } + listenHttps.map { ("--listen-https", $0) }
        if let publicUrl { flags.append(("--public-url", publicUrl)) }
        if let logLevel { flags.append(("--log-level", logLevel)) }
        if let logFormat { flags.append(("--log-format", logFormat)) }
        let sources = options.sources(flags, installed: false)
        let loaded: Configuration.Loaded
        do {
            loaded = try options.load(sources)
        } catch let failure as CommandFailure {
            throw Self.logged(failure, .standard())
        }
        let output = LogOutput.standard(loaded.configuration.log)
        let log = output.logger()
        for notice in loaded.notices { log.notice("Configuration", metadata: ["note": "\(notice)"]) }
        defer { output.flush() }
        do {
            try await Server.run(
                loaded.configuration, file: options.config, readAgain: { Configuration.load(sources) }, log: log, output: output)
        } catch let failure as CommandFailure {
            throw Self.logged(failure, output)
        }
    }

    /// In the journal, why the server left is a line of its log like any other. Elsewhere it is for whoever started it, in words.
    private static func logged(_ failure: CommandFailure, _ output: LogOutput) -> any Error {
        guard JournalStream.isBehind(STDOUT_FILENO), JournalStream.isBehind(STDERR_FILENO) else { return failure }
        output.logger().critical(
            "The server cannot run", metadata: ["reason": "\(failure.message)", "exit_code": "\(failure.code.rawValue)"])
        output.flush()
        return ExitCode(failure.code.rawValue)
    }
}
