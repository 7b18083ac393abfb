import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1
import Testing

@testable import GateProxy

@Suite("WebSockets to an application", .timeLimit(.minutes(1)))
struct WebSocketTests {
    private static func upgrade(_ version: Request.Version = .http11, key: String? = "dGhlIHNhbXBsZSBub25jZQ==") -> Request {
        var headers: HTTPHeaders = ["Sec-WebSocket-Version": "13", "Sec-WebSocket-Protocol": "chat"]
        if version == .http11 {
            headers.add(name: "Connection", value: "keep-alive, Upgrade")
            headers.add(name: "Upgrade", value: "websocket")
        }
        if let key { headers.add(name: "Sec-WebSocket-Key", value: key) }
        return .to("/chat", headers: headers, version: version, upgrade: "websocket")
    }

    private static func switching(_ accept: String) -> String {
        """
        HTTP/1.1 101 Switching Protocols\r
        Upgrade: websocket\r
        Connection: Upgrade\r
        Sec-WebSocket-Accept: \(accept)\r
        Sec-WebSocket-Protocol: chat\r
        \r\n
        """
    }

    @Test func `the proof is that of RFC 6455 §1.3`() {
        #expect(WebSocketHandshake.accept(for: "dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }

    /// The key that the application was sent.
    private static func key(_ head: String) -> String? {
        head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("sec-websocket-key: ") }.map { String($0.dropFirst(19)) }
    }

    @Test(
        "From HTTP/1.1 with the client's key, from HTTP/2 with ours (RFC 8441 §5)",
        arguments: [(Request.Version.http11, "dGhlIHNhbXBsZSBub25jZQ=="), (.http2, nil)] as [(Request.Version, String?)])
    func bridged(version: Request.Version, key: String?) async throws {
        try await Rig.run { rig, application in
            async let pending = rig.answer(Self.upgrade(version, key: key))
            let connection = try await application.accept()
            let head = try await connection.head()
            #expect(head.hasPrefix("GET /chat HTTP/1.1\r\n"))
            #expect(head.lowercased().contains("\r\nupgrade: websocket\r\n") && head.lowercased().contains("\r\nconnection: upgrade\r\n"))
            let sent = try #require(Self.key(head))
            if let key { #expect(sent == key) } else { #expect(sent.utf8.count == 24 && sent.hasSuffix("==")) }
            try await connection.send(Self.switching(WebSocketHandshake.accept(for: sent)) + "hello")
            let answer = await pending
            #expect(answer.status == .switchingProtocols)
            let fields = answer.encodedFields.fields.map(\.name)
            #expect(fields == (key == nil ? [] : ["Sec-WebSocket-Accept"]) + ["Sec-WebSocket-Protocol"])
            guard case .tunnel(let use) = answer.body else { throw NotATunnel() }

            let client = TestTunnel()
            async let done: Void = use(client)
            #expect(await client.received() == "hello")
            client.send("from the client")
            #expect(try await connection.read(15) == "from the client")
            try await connection.send("from the application")
            #expect(await client.received() == "from the application")
            #expect(rig.upstream.reports[0].inFlight == 1)

            // Each direction ends by itself.
            client.end()
            #expect(try await connection.readToEnd() == "")
            try await connection.send("last words")
            #expect(await client.received() == "last words")
            try await connection.endOutput()
            #expect(await client.received() == nil)
            await done
            #expect(rig.upstream.reports[0].inFlight == 0)
        }
    }

    @Test(arguments: ["wrong", "", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo"]) func `an application that has not understood the key is not believed`(
        accept: String
    )
        async throws
    {
        try await Rig.run { rig, application in
            async let answer = rig.collect(Self.upgrade())
            let connection = try await application.accept()
            _ = try await connection.head()
            try await connection.send(Self.switching(accept))
            #expect(try await answer.status == 502)
            #expect(try await connection.readToEnd() == "")
            #expect(rig.upstream.reports[0].failures == 1)
            #expect(rig.upstream.reports[0].inFlight == 0)
        }
    }

    @Test func `an application that declines is heard`() async throws {
        try await Rig.run { rig, application in
            async let answer = rig.collect(Self.upgrade())
            let connection = try await application.accept()
            _ = try await connection.head()
            try await connection.send("HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\nContent-Length: 2\r\n\r\nno")
            let collected = try await answer
            #expect(collected.status == 426 && collected.body == "no" && collected.value("sec-websocket-version") == "13")
        }
    }

    @Test(arguments: ["h2c", "tls/1.0", "connect-udp"]) func `other protocols would lead past the access rules, and are not asked for`(
        name: String
    ) async throws {
        try await Rig.run { rig, application in
            let headers = HTTPHeaders(lines: [
                "Connection: Upgrade, HTTP2-Settings", "Upgrade: \(name)", "HTTP2-Settings: AAMAAABk", "A: b",
            ])
            async let answer = rig.collect(.to("/", headers: headers, upgrade: name))
            let connection = try await application.accept()
            let head = try await connection.head().lowercased()
            #expect(!head.contains("upgrade") && !head.contains("http2-settings") && head.contains("\r\na: b\r\n"))
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            #expect(try await answer.status == 200)
        }
    }

    @Test func `whoever breaks off ends the other side`() async throws {
        for isTheClient in [true, false] {
            try await Rig.run { rig, application in
                async let pending = rig.answer(Self.upgrade())
                let connection = try await application.accept()
                let head = try await connection.head()
                try await connection.send(Self.switching(WebSocketHandshake.accept(for: Self.key(head)!)))
                guard case .tunnel(let use) = await pending.body else { throw NotATunnel() }
                let client = TestTunnel()
                let joined = Task { await use(client) }
                connection.closeOrCancel(isTheClient, joined, client)
                if isTheClient { _ = try await connection.readToEnd() } else { #expect(await client.received() == nil) }
                client.end()
                await joined.value
                #expect(rig.upstream.reports[0].inFlight == 0)
            }
        }
    }

    @Test func `silence in both directions ends the tunnel`() async throws {
        try await Rig.run(rules: { $0.idleTime = .milliseconds(200) }) { rig, application in
            async let pending = rig.answer(Self.upgrade())
            let connection = try await application.accept()
            let head = try await connection.head()
            try await connection.send(Self.switching(WebSocketHandshake.accept(for: Self.key(head)!)))
            guard case .tunnel(let use) = await pending.body else { throw NotATunnel() }
            await use(TestTunnel())
            _ = try await connection.readToEnd()
        }
    }

    struct NotATunnel: Error {}
}

extension Conversation {
    /// Breaks off as the client's connection does, whose task is cancelled, or as the application.
    fileprivate func closeOrCancel(_ isTheClient: Bool, _ task: Task<Void, Never>, _ client: TestTunnel) {
        if isTheClient { task.cancel() } else { Task { await close() } }
    }
}

/// The client's end of a tunnel, in a test's hands.
final class TestTunnel: Tunnel {
    private let incoming = AsyncStream<String>.makeStream()
    private let outgoing = AsyncStream<String>.makeStream()

    func send(_ text: String) { incoming.continuation.yield(text) }
    func end() { incoming.continuation.finish() }
    /// What has been written next; `nil` once the writer has finished.
    func received() async -> String? { await outgoing.stream.first { _ in true } }

    func next() async throws(BodyError) -> ByteBuffer? {
        let text = await incoming.stream.first { _ in true }
        if text == nil, Task.isCancelled { throw .disconnected }
        return text.map { ByteBuffer(string: $0) }
    }

    func write(_ part: ByteBuffer) async throws(BodyError) { outgoing.continuation.yield(String(buffer: part)) }
    func finish() async throws(BodyError) { outgoing.continuation.finish() }
}
