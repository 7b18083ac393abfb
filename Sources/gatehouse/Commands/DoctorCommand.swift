import ArgumentParser
import GateCore
import GatehouseApp

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Find out what stands between clients and this server, and what to do about it.",
        discussion: """
            For each name of the configuration: whether the DNS leads here, whether ports 80 and 443 are reached through it and by whom, \
            whether CAA records allow the authority. Besides: the clock, the authority, the ports, the certificates, the data folder. Where \
            no server runs, the doctor listens in its place while it looks.

            Ends with 0 where nothing is wrong (warnings are no faults), with 1 where something is, with 78 where the configuration is faulty.
            """)

    @Option(
        name: .long,
        help: ArgumentHelp("Ask this name server, instead of those of /etc/resolv.conf. May be repeated.", valueName: "IP[:port]"))
    var resolver: [String] = []

    @Option(name: .long, help: ArgumentHelp("Where the authority looks for HTTP-01.", valueName: "port")) var httpPort = 80
    @Option(name: .long, help: ArgumentHelp("Where the authority looks for TLS-ALPN-01.", valueName: "port")) var httpsPort = 443

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        for port in [httpPort, httpsPort] where !(1...65_535).contains(port) { throw ValidationError("\(port) is no port.") }
        for server in resolver where !Doctor.Settings.isResolver(server) {
            throw ValidationError("\(server) is no name server's address: write 9.9.9.9, 127.0.0.1:5353 or [2620:fe::fe]:53.")
        }
    }

    func run() async throws {
        let report = await Doctor.examine(try options.load().configuration, log: .quiet) { settings in
            settings.ask(resolver)
            settings.httpPort = httpPort
            settings.httpsPort = httpsPort
        }
        if output.json { Terminal.say(report.json.text) } else { Terminal.show(report.text) }
        if !report.isHealthy { throw ExitCode(CommandFailure.Code.failure.rawValue) }
    }
}
