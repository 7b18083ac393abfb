import GateCore
import GateCrypto
import GateTesting
import Testing

@testable import GateNet

/// With `openssl s_client`, which keeps sessions in files.
@Suite("TLS sessions are resumed", .serialized)
struct TLSResumptionTests {
    private let folder = TemporaryFolder()
    private static let ask = #"printf 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'; sleep 0.3"#

    private func begin(_ server: TLSTestServer, _ version: String, name: String = "localhost") -> Bool {
        let answer = server.openssl("-\(version) -servername \(name) -sess_out \(folder.file("session")) -ign_eof", input: Self.ask)
        return answer.contains("New, TLS") && answer.contains("hello")
    }

    private func isResumed(_ server: TLSTestServer, _ version: String, name: String = "localhost") -> Bool {
        let answer = server.openssl(
            "-\(version) -servername \(name) -sess_in \(folder.file("session")) -sess_out \(folder.file("session")) -ign_eof",
            input: Self.ask)
        #expect(answer.contains("hello"), "Resumed or not, it is served: \(answer)")
        return answer.contains("Reused, TLS")
    }

    @Test("in both versions, after the certificate was exchanged too", arguments: ["tls1_2", "tls1_3"])
    func resumption(_ version: String) async throws {
        try await TLSTestServer.run { server in
            #expect(begin(server, version))
            #expect(isResumed(server, version))
            try server.certificates.serve([TestCertificates.renewed], fallback: TestCertificates.renewed)
            #expect(isResumed(server, version))
        }
    }

    @Test("but never under another name than they were made for", arguments: ["tls1_2", "tls1_3"])
    func otherName(_ version: String) async throws {
        try await TLSTestServer.run(fallback: TestCertificates.renewed) { server in
            #expect(begin(server, version))
            #expect(!isResumed(server, version, name: "renewed.test"))
        }
    }

    @Test("by keys that rotate: old ones open for a while, then no more", arguments: ["tls1_2", "tls1_3"])
    func rotation(_ version: String) async throws {
        let time = ManualTime()
        let tickets = SessionTickets(rotation: .seconds(3600), time: time, entropy: SeededEntropy())
        try await TLSTestServer.run(tickets: tickets) { server in
            #expect(begin(server, version))
            time.advance(by: .seconds(3700))
            #expect(isResumed(server, version), "The key before opens, and a new ticket is given.")
            time.advance(by: .seconds(11 * 3600))
            #expect(isResumed(server, version), "Both keys open still.")
            time.advance(by: .seconds(48 * 3600))
            #expect(!isResumed(server, version))
        }
    }

    @Test("and not by another server's keys", arguments: ["tls1_2", "tls1_3"])
    func otherKeys(_ version: String) async throws {
        try await TLSTestServer.run { server in #expect(begin(server, version)) }
        try await TLSTestServer.run { server in #expect(!isResumed(server, version)) }
    }
}
