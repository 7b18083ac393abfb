import GateCore
import GateCrypto
import GateHTTP
import GateTesting
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import GateNet

@Suite("The outgoing client over TLS", .timeLimit(.minutes(1)))
struct ClientTLSTests {
    private let time = ManualTime()
    private let certified: CertifiedKey
    private let decorator: TLSServerDecorator

    init() throws {
        certified = try CertifiedKey.selfSigned(
            for: [CertificateName("good.example"), CertificateName("127.0.0.1")], at: time.now(), entropy: SeededEntropy())
        decorator = TLSServerDecorator(certificates: try TLSCertificates(fallback: certified))
    }

    /// A client that trusts the server's certificate, by the clock of the test.
    private func run<Result>(trusts: Bool = true, _ body: (HTTPClient) async throws -> Result) async throws -> Result {
        let tls = TLSClientConfiguration(
            context: try TLSClientContext(authorities: trusts ? certified.chain : nil, trustsSystem: false, time: time))
        let names = ["good.example": [["127.0.0.1"]], "other.example": [["127.0.0.1"]]]
        return try await HTTPClient.run(names: names, tls: tls, limits: { $0.handshakeTime = .milliseconds(500) }, body)
    }

    private func request(_ port: Int, host: String = "good.example", method: HTTPMethod = .GET, body: String = "") -> OutgoingRequest {
        OutgoingRequest(method, HTTPURL("https://\(host):\(port)/")!, body: ByteBuffer(string: body), timeLimit: .seconds(10))
    }

    private func withServer(_ answer: @escaping @Sendable (Request) -> Answer, _ body: (Int) async throws -> Void) async throws {
        let server = HTTPServer(
            [Listener(.tcp(host: "127.0.0.1", port: 0), decorator: decorator)], responder: ClosureResponder(answer: answer),
            observer: RecordingObserver(), group: MultiThreadedEventLoopGroup.singleton)
        let port = try await server.start()[0].port!
        do { try await body(port) } catch {
            await server.shutdownGracefully(within: .zero)
            throw error
        }
        await server.shutdownGracefully(within: .zero)
    }

    @Test("Requests and large bodies over one kept connection, by name and by address")
    func exchanges() async throws {
        let answer: @Sendable (Request) -> Answer = { request in
            .later {
                let body = (try? await request.body.collect(upTo: 1 << 22)) ?? ByteBuffer()
                return Response(.ok, headers: ["x-scheme": request.scheme.rawValue], body: .bytes(body))
            }
        }
        try await withServer(answer) { port in
            try await run { client in
                let large = String(repeating: "0123456789", count: 100_000)
                for body in ["", "a", large, "b"] {
                    let response = try await client.send(request(port, method: .POST, body: body))
                    #expect(response.text == body && response.headers["x-scheme"] == ["https"])
                }
                #expect(await client.connectionCount() == 1)
                #expect(try await client.send(request(port, host: "127.0.0.1")).status == .ok)
                #expect(await client.connectionCount() == 2, "Another name is another destination: the certificate was for the first.")
            }
        }
    }

    @Test("A certificate for another host, an expired one, one from tomorrow, and one that nobody vouches for")
    func untrusted() async throws {
        try await withServer({ _ in .now(.text(.ok, "secret")) }) { port in
            try await run { client in
                let wrong = await client.failure(request(port, host: "other.example"))
                #expect(wrong?.reason == .untrustedCertificate)
                #expect(wrong?.description.contains("other.example:\(port)") == true)
                #expect(wrong?.description.contains("is not trusted") == true, "\(String(describing: wrong))")
                time.advance(by: .seconds(8 * 86_400))
                let expired = await client.failure(request(port))
                #expect(expired?.reason == .untrustedCertificate && expired?.description.contains("it has expired") == true)
                time.jumpWallClock(by: .seconds(-30 * 86_400))
                let early = await client.failure(request(port))
                #expect(early?.reason == .untrustedCertificate && early?.description.contains("clock") == true)
            }
            time.jumpWallClock(by: .seconds(23 * 86_400))
            try await run(trusts: false) { client in
                let stranger = await client.failure(request(port))
                #expect(stranger?.reason == .untrustedCertificate && stranger?.description.contains("self-signed") == true)
                #expect(await client.connectionCount() == 0)
            }
        }
    }

    @Test("An extra authority is trusted beside the system's, and a file without one is refused")
    func extraAuthority() async throws {
        let authority = try CertifiedKey.selfSigned(
            for: [CertificateName("good.example")], at: SystemTime().now(), entropy: SystemEntropy())
        let decorator = TLSServerDecorator(certificates: try TLSCertificates(fallback: authority))
        let tls = try TLSClientConfiguration(authorities: authority.chain)
        try await ScriptedServer.run(
            [.await("\r\n\r\n"), .send("HTTP/1.1 204 X\r\n\r\n"), .awaitEnd], decorator: decorator
        ) { server in
            let response = try await HTTPClient.run(names: ["good.example": [["127.0.0.1"]]], tls: tls) {
                try await $0.send(request(server.port))
            }
            #expect(response.status == .noContent)
        }
        #expect(throws: CryptoError.self) { try TLSClientConfiguration(authorities: Array("no certificate".utf8)) }
    }

    @Test("A cut stream is no end: neither of a body without a length, nor of a head")
    func truncated() async throws {
        for text in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\n\r\nhalf of it", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"] {
            try await ScriptedServer.run([.await("\r\n\r\n"), .send(text), .cut], decorator: decorator) { server in
                let error = try await run { await $0.failure(request(server.port)) }
                #expect(error?.reason == .disconnected, "\(text): \(String(describing: error))")
                #expect(error?.description.contains("close_notify") == true, "\(String(describing: error))")
            }
        }
    }

    @Test("A proper end is one: a body without a length is whole, also a large one that was not read yet")
    func properEnd() async throws {
        let body = String(repeating: "x", count: 500_000)
        try await ScriptedServer.run([.await("\r\n\r\n"), .send("HTTP/1.1 200 OK\r\n\r\n\(body)"), .close], decorator: decorator) {
            server in
            let response = try await run { try await $0.send(request(server.port)) }
            #expect(response.body.readableBytes == 500_000)
        }
        // What was whole by its length was whole, however the connection ends.
        try await ScriptedServer.run(
            [.await("\r\n\r\n"), .send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), .cut], decorator: decorator
        ) { server in
            let response = try await run { try await $0.send(request(server.port)) }
            #expect(response.text == "ok")
        }
    }

    @Test("A port that speaks no TLS, and one that says nothing")
    func noTLS() async throws {
        try await ScriptedServer.run([.send("HTTP/1.1 400 Bad Request\r\n\r\n"), .awaitEnd]) { server in
            let error = try await run { await $0.failure(request(server.port)) }
            #expect(error?.reason == .tls && error?.description.hasPrefix("cannot connect to good.example:\(server.port): ") == true)
        }
        try await ScriptedServer.run([.awaitEnd]) { server in
            let error = try await run { await $0.failure(request(server.port)) }
            #expect(error?.reason == .timedOut && error?.description.contains("handshake") == true)
        }
        try await ScriptedServer.run([.await("good.example"), .close]) { server in
            let error = try await run { await $0.failure(request(server.port)) }
            #expect(error?.reason == .disconnected)
        }
    }

    @Test("Cancelled in the middle of the handshake, nothing stays behind")
    func cancelled() async throws {
        try await ScriptedServer.run([.awaitEnd]) { server in
            try await run { client in
                let task = Task { await client.failure(request(server.port)) }
                _ = try await server.accepted()
                task.cancel()
                #expect(await task.value?.reason == .cancelled)
                #expect(await server.ended.first { _ in true } == 0)
                #expect(await client.connectionCount() == 0)
            }
        }
    }

    @Test("A kept connection that the server has closed, with or without close_notify, is not used again", arguments: [false, true])
    func stale(_ isCut: Bool) async throws {
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        try await ScriptedServer.run(
            [.await("\r\n\r\n"), .send(answer), isCut ? .cut : .close], [.await("\r\n\r\n"), .send(answer), .awaitEnd], decorator: decorator
        ) { server in
            try await run { client in
                _ = try await client.send(request(server.port))
                let second = try await client.send(request(server.port))
                #expect(second.text == "ok" && server.received.count == 2)
            }
        }
    }
}
