import GateCore
import GateTesting
import Testing

@testable import GateCrypto

@Suite("What a client makes of a server's certificate")
struct TLSVerificationTests {
    struct Scenario: Sendable, CustomTestStringConvertible {
        var host = "localhost"
        var certified = TestCertificates.localhost
        var moved: Duration = .zero
        var fault: CertificateFault
        var message: String

        var testDescription: String { "\(host), \(fault)" }
    }

    static let scenarios: [Scenario] = [
        Scenario(moved: .seconds(400 * 86_400), fault: .expired, message: "the certificate of localhost is not trusted: it has expired"),
        Scenario(
            moved: .seconds(-400 * 86_400), fault: .notYetValid,
            message: "the certificate of localhost is not trusted: it is not valid yet (is this machine's clock right?)"),
        Scenario(
            certified: TestCertificates.authority.certified("DNS:localhost", signedBy: nil), fault: .selfSigned,
            message: "the certificate of localhost is not trusted: it is self-signed"),
        Scenario(
            certified: CommandLineAuthority().certified("DNS:localhost"), fault: .unknownIssuer,
            message: """
                the certificate of localhost is not trusted: its issuer is unknown here (a private authority, or an intermediate \
                certificate that the server does not send)
                """),
        Scenario(
            host: "example.test", fault: .wrongName(["localhost", "127.0.0.1"]),
            message: "the certificate of example.test is not trusted: it is for localhost, 127.0.0.1"),
        Scenario(
            host: "127.0.0.2", fault: .wrongName(["localhost", "127.0.0.1"]),
            message: "the certificate of 127.0.0.2 is not trusted: it is for localhost, 127.0.0.1"),
        Scenario(
            host: "a.b.wild.test", certified: TestCertificates.authority.certified("DNS:*.wild.test"), fault: .wrongName(["*.wild.test"]),
            message: "the certificate of a.b.wild.test is not trusted: it is for *.wild.test"),
    ]

    @Test("Each fault is told in words", arguments: scenarios)
    func faults(_ scenario: Scenario) throws {
        let time = ManualTime(wall: SystemTime().now() + scenario.moved)
        let pair = try EnginePair(
            host: scenario.host, server: TestCertificates.server(scenario.certified), client: TestCertificates.client(time: time))
        let error = TLSError.untrusted(host: scenario.host, scenario.fault)
        #expect(throws: error) { try pair.shakeHands() }
        #expect(error.description == scenario.message)
        #expect(pair.client.hasOutput, "The server is told by an alert.")
    }

    @Test("Names and addresses that the certificate is for are accepted", arguments: ["localhost", "LOCALHOST", "127.0.0.1"])
    func accepted(_ host: String) throws {
        let pair = try EnginePair(host: host)
        try pair.shakeHands()
        #expect(pair.server.handshake?.serverName == (host == "127.0.0.1" ? nil : "localhost"), "An address is not sent as a name.")
    }

    @Test("What holds no certificate is not taken for authorities", arguments: ["", "nothing", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
    func noAuthorities(_ text: String) {
        #expect(throws: CryptoError.self) { try TLSClientContext(authorities: Array(text.utf8)) }
    }

    @Test("A damaged certificate among the authorities is an error, not one less")
    func damagedAuthorities() {
        let damaged = TestCertificates.root + Array("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".utf8)
        #expect(throws: CryptoError.self) { try TLSClientContext(authorities: damaged) }
    }
}
