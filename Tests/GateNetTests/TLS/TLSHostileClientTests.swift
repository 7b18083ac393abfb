import GateCore
import GateCrypto
import GateHTTP
import GateTesting
import NIOCore
import Testing

@testable import GateNet

@Suite("TLS and hostile clients", .serialized)
struct TLSHostileClientTests {
    private static let request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

    @Test("CHECKLIST 34: a handshake that does not come to its end is closed", arguments: ["", "\u{16}\u{3}\u{1}\u{2}"])
    func handshakeTime(_ beginning: String) async throws {
        try await TLSTestServer.run(.with { $0.limits.handshakeTime = .milliseconds(100) }) { server in
            let client = try await server.connectPlain()
            try await client.send(beginning)
            #expect(try await client.readToEnd() == "")
            #expect(await server.handshakes.next() == .failure(.truncated))
        }
    }

    @Test("A client that goes away in the handshake leaves nothing behind")
    func goneInHandshake() async throws {
        try await TLSTestServer.run { server in
            let client = try await server.connectPlain()
            try await client.send([22, 3, 1])
            await client.close()
            #expect(await server.handshakes.next() == .failure(.truncated))
        }
    }

    @Test("CHECKLIST 57: half-open handshakes are shed, the oldest first, and honest clients served")
    func halfOpen() async throws {
        try await TLSTestServer.run(
            .with {
                $0.limits.handshakes = 64
                $0.limits.connections = 400
            }
        ) { server in
            var held: [RawClient] = []
            for round in 0..<600 {
                held.append(try await server.connectPlain())
                guard round % 60 == 59 else { continue }
                let honest = try await server.connect()
                try await honest.send(Self.request)
                #expect(try await honest.read(until: "hello").hasPrefix("HTTP/1.1 200 OK"))
            }
            #expect(server.server.openConnections <= 64 + 10 + 1, "The rest has been closed.")
            #expect(try await held[0].readToEnd() == "")
        }
    }

    @Test("Connections beyond the limit are closed before their handshake")
    func connectionLimit() async throws {
        try await TLSTestServer.run(.with { $0.limits.connections = 1 }) { server in
            let first = try await server.connect()
            try await first.send(Self.request)
            _ = try await first.read(until: "hello")
            #expect(try await server.connectPlain().readToEnd() == "")
            try await first.send(Self.request)
            #expect(try await first.read(until: "hello").hasPrefix("HTTP/1.1 200 OK"))
        }
    }

    @Test("Garbage is answered by an alert at most")
    func garbage() async throws {
        let entropy = SeededEntropy(seed: 5)
        try await TLSTestServer.run { server in
            for _ in 0..<30 {
                let client = try await server.connectPlain()
                try await client.send(entropy.bytes(entropy.number(in: 5...2000)))
                try? await client.endInput()
                #expect(try await client.readBytesToEnd().count <= 7)
            }
            #expect(server.observer.all.isEmpty)
        }
    }

    @Test("A few key updates are followed; a flood of them ends the connection")
    func keyUpdates() async throws {
        try await TLSTestServer.run { server in
            #expect(server.answer(afterKeyUpdates: 5).contains("hello"))
            #expect(!server.answer(afterKeyUpdates: 100).contains("hello"))
        }
    }

    @Test("Renegotiation is refused")
    func renegotiation() async throws {
        try await TLSTestServer.run { server in
            let answer = server.openssl(
                "-tls1_2 -servername localhost", input: #"echo R; sleep 0.3; printf 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'; sleep 1.5"#)
            #expect(answer.contains("RENEGOTIATING"))
            #expect(!answer.contains("hello"))
        }
    }

    @Test(
        "Versions before TLS 1.2, and suites without forward secrecy, are refused",
        arguments: [
            "-tls1_1 -cipher DEFAULT@SECLEVEL=0", "-tls1 -cipher DEFAULT@SECLEVEL=0", "-tls1_2 -cipher AES128-GCM-SHA256",
            "-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA256",
        ])
    func outdated(_ options: String) async throws {
        try await TLSTestServer.run { server in
            #expect(server.openssl("-servername localhost \(options)").contains("Cipher is (NONE)"))
        }
    }

    @Test("A client of ours tells why it turned away, and the server hears of it")
    func untrusted() async throws {
        try await TLSTestServer.run { server in
            let client = try await server.connect("other.test")
            #expect(try await client.readToEnd() == "")
            #expect(try await client.error() as? TLSError == .untrusted(host: "other.test", .wrongName(["localhost", "127.0.0.1"])))
            #expect(await server.handshakes.next() == .failure(.refused(alert: 42)))
        }
    }
}
