import GateCore
import GateHTTP
import Testing

@testable import GatehouseApp

@Suite("Doctor: which ports are looked at")
struct PortPlanTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var mode = Configuration.TLS.Mode.acme
        var url = WebOrigin(scheme: .https, host: "app.example", port: 443)
        var http = [80]
        var https = [443]
        var challenges = [Configuration.ACME.Challenge.http01, .tlsALPN01]
        var name = "app.example"
        let expected: [String]
    }

    static let cases = [
        Case(testDescription: "ACME by either way", expected: ["80 convenience", "443 tls clients"]),
        Case(
            testDescription: "ACME, with nothing on 443", url: WebOrigin(scheme: .https, host: "app.example", port: 8443), https: [8443],
            expected: ["80 validation", "443 tls clients (not configured)", "8443 tls clients"]),
        Case(testDescription: "HTTP-01 alone", challenges: [.http01], expected: ["80 validation", "443 tls clients"]),
        Case(testDescription: "TLS-ALPN-01 alone", challenges: [.tlsALPN01], expected: ["80 convenience", "443 tls clients"]),
        Case(
            testDescription: "another name of the certificate", challenges: [.tlsALPN01], name: "www.example",
            expected: ["80 convenience", "443 tls validation"]),
        Case(testDescription: "files", mode: .files, expected: ["80 convenience", "443 tls clients"]),
        Case(testDescription: "files, without plain HTTP", mode: .files, http: [8080], expected: ["443 tls clients"]),
        Case(
            testDescription: "no TLS", mode: .off, url: WebOrigin(scheme: .http, host: "app.example", port: 8080), http: [8080], https: [],
            expected: ["8080 clients"]),
        Case(
            testDescription: "TLS by a proxy in front", mode: .off, http: [8080], https: [], expected: ["443 tls clients (not configured)"]),
    ]

    @Test("A table of configurations", arguments: cases)
    func plan(_ scenario: Case) {
        var configuration = Configuration()
        configuration.publicURL = scenario.url
        configuration.tls.mode = scenario.mode
        configuration.listen.http = scenario.http.map { .anyAddress(port: $0) }
        configuration.listen.https = scenario.https.map { .anyAddress(port: $0) }
        configuration.acme.domains = ["app.example", "www.example"]
        configuration.acme.challenges = scenario.challenges
        let plans = PortPlan.ports(of: scenario.name, configuration, httpPort: 80, httpsPort: 443).map { plan in
            "\(plan.port)\(plan.isTLS ? " tls" : "") \(plan.need)\(plan.isConfigured ? "" : " (not configured)")"
        }
        #expect(plans == scenario.expected)
    }
}
