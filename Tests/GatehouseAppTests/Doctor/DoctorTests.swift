import GateCore
import GateHTTP
import GateNet
import GateTesting
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import GatehouseApp

@Suite("Doctor")
struct DoctorTests {
    private struct Directory: OutgoingHTTP {
        let date: Timestamp

        func send(_ request: OutgoingRequest) async throws(OutgoingError) -> OutgoingResponse {
            let json =
                #"{"newOrder":"https://acme.example/order","meta":{"caaIdentities":["acme.example"],"externalAccountRequired":true}}"#
            return OutgoingResponse(.ok, headers: ["date": date.httpDate], body: ByteBuffer(string: json))
        }
    }

    /// What the doctor says of a configuration on loopback, with names that lead to it.
    private func examine(_ configuration: Configuration, httpPort: Int = 80, clockAhead: Duration = .zero) async throws -> DoctorReport {
        let records: @Sendable (DNSQuestion) -> [DNSRecord] = { question in
            switch question.type {
            case .a: [DNSRecord(question.name, .a, timeToLive: 1, .address(IPAddress("127.0.0.1")!))]
            case .caa where question.name == DNSName("example"):
                [DNSRecord(question.name, .caa, timeToLive: 1, .caa(CAARecord(tag: "issue", value: "other.example")))]
            default: []
            }
        }
        let server = try await StandInResolver.open { query in
            query.answers = query.questions.flatMap(records)
        }
        var settings = Doctor.Settings(
            resolver: ResolverConfiguration(servers: [server.address]))
        settings.httpPort = httpPort
        settings.httpsPort = httpPort
        let time = SystemTime()
        let report = await Doctor(
            configuration, settings: settings, kernelClock: .synchronized, http: Directory(date: time.now() - clockAhead), time: time,
            entropy: SystemEntropy(), log: Logger(label: "doctor") { _ in SwiftLogNoOpLogHandler() }
        ).examine()
        try await server.close()
        return report
    }

    private func freePort() async throws -> Int {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(host: "127.0.0.1", port: 0).get()
        let port = channel.localAddress!.port!
        try await channel.close()
        return port
    }

    private func configuration(in folder: TemporaryFolder, port: Int, host: String) -> Configuration {
        var configuration = Configuration()
        configuration.dataDirectory = folder.file("data")
        configuration.listen.admin = folder.file("admin.sock")
        configuration.listen.http = [.tcp(IPAddress("127.0.0.1")!, port: port)]
        configuration.publicURL = WebOrigin(scheme: .http, host: host, port: port)
        return configuration
    }

    @Test("With nothing set and nothing running, nothing is wrong")
    func defaults() async throws {
        let folder = TemporaryFolder()
        let report = try await examine(configuration(in: folder, port: try await freePort(), host: "127.0.0.1"))
        #expect(report.isHealthy, "\(report.text)")
        #expect(report.findings.contains { $0.check.hasPrefix("port") && $0.seen.contains("it is this server") }, "\(report.text)")
        #expect(folder.names.isEmpty, "the doctor leaves nothing behind")
    }

    @Test("A name that leads here is found to, while no server runs")
    func name() async throws {
        let folder = TemporaryFolder()
        let report = try await examine(configuration(in: folder, port: try await freePort(), host: "app.example"))
        #expect(report.isHealthy, "\(report.text)")
        #expect(report.findings.filter { $0.about == "app.example" }.map(\.check).first == "DNS")
    }

    @Test("Another program on the port is named")
    func stranger() async throws {
        struct Stranger: Responder {
            func respond(to request: Request) -> Answer { .now(Response(.ok, headers: ["server": "nginx/1.22.1"])) }
        }
        let server = HTTPServer(
            [Listener(.tcp(host: "127.0.0.1", port: 0))], responder: Stranger(), observer: ExchangeObservers([]),
            group: MultiThreadedEventLoopGroup.singleton)
        let port = try await server.start()[0].port!
        let report = try await examine(configuration(in: TemporaryFolder(), port: port, host: "app.example"))
        await server.shutdownGracefully(within: .zero)
        #expect(!report.isHealthy)
        let problems = report.findings.filter { $0.status == .problem }
        #expect(problems.map(\.check) == ["listen", "port \(port)"], "\(report.text)")
        #expect(problems.allSatisfy { ($0.seen + ($0.advice ?? "")).contains("process \(getpid())") }, "\(report.text)")
    }

    @Test("With ACME: the authority, its CAA records, the clock and the missing certificate are told of")
    func acme() async throws {
        let port = try await freePort()
        var configuration = configuration(in: TemporaryFolder(), port: port, host: "app.example")
        configuration.publicURL = WebOrigin(scheme: .https, host: "app.example", port: port)
        configuration.listen.https = configuration.listen.http
        configuration.listen.http = []
        configuration.tls.mode = .acme
        configuration.acme.domains = ["app.example"]
        configuration.acme.directory = HTTPURL("https://acme.example/directory")!
        configuration.acme.caFile = "private authority, so that loopback will do"
        let report = try await examine(configuration, httpPort: port, clockAhead: .seconds(1000))
        let problems = report.findings.filter { $0.status == .problem }.map { "\($0.about): \($0.check)" }
        #expect(
            problems == [
                "this machine: clock", "the certificate authority: account", "app.example: CAA", "the certificate: validity",
            ], "\(report.text)")
        #expect(report.findings.contains { $0.check == "port \(port)" && $0.status == .ok }, "\(report.text)")
        #expect(report.json["healthy"] == false)
    }

    @Test("The report is aligned, in groups, with a summary")
    func text() {
        let report = DoctorReport(findings: [
            Finding("clock", "this machine", .ok, "Right."),
            Finding("DNS", "app.example", .problem, "A 203.0.113.9 does not lead here.", advice: "Set it to 198.51.100.7."),
            Finding("port 80", "app.example", .warning, "No answer."),
        ])
        #expect(
            report.text == """
                this machine
                  ok      clock   Right.

                app.example
                  problem DNS     A 203.0.113.9 does not lead here.
                                  → Set it to 198.51.100.7.
                  warning port 80 No answer.

                1 problem, 1 warning.

                """)
        #expect(DoctorReport(findings: []).text == "\nNothing is wrong.\n")
    }
}
