import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1
import Testing

@testable import GateNet

@Suite("Asking for another protocol")
struct UpgradeTests {
    @Test(
        "Upgrade counts where Connection names it, on HTTP/1.1, without a body; HTTP/2 without TLS never",
        arguments: [
            ("HTTP/1.1", "Connection: Upgrade\r\nUpgrade: WebSocket", "websocket"),
            ("HTTP/1.1", "Upgrade: websocket\r\nConnection: keep-alive , uPGRADE", "websocket"),
            ("HTTP/1.1", "Connection: Upgrade\r\nUpgrade: IRC/6.9, websocket", "irc/6.9"),
            ("HTTP/1.1", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__", nil),
            ("HTTP/1.1", "Connection: Upgrade\r\nUpgrade: h2c, websocket", "websocket"),
            ("HTTP/1.1", "Connection: Upgrade\r\nUpgrade:", nil),
            ("HTTP/1.1", "Connection: Upgrade\r\nUpgrade: a/b/c", nil),
            ("HTTP/1.1", "Connection: Upgrade\r\nUpgrade: web socket", nil),
            ("HTTP/1.1", "Connection: Upgrade", nil),
            ("HTTP/1.1", "Upgrade: websocket", nil),
            ("HTTP/1.1", "Connection: Upgraded\r\nUpgrade: websocket", nil),
            ("HTTP/1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 1", nil),
            ("HTTP/1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked", nil),
            ("HTTP/1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0", "websocket"),
            ("HTTP/1.0", "Connection: Upgrade\r\nUpgrade: websocket", nil),
        ])
    func asked(_ version: String, _ fields: String, _ name: String?) throws {
        var reader = RequestReader(limits: ServerLimits())
        var bytes = ByteBuffer(string: "GET / \(version)\r\nHost: a\r\n\(fields)\r\n\r\n")
        reader.append(&bytes)
        #expect(try #require(try reader.nextHead()).upgrade == name)
    }

    @Test("Declined on HTTP/1.1, the connection goes on with what follows")
    func declined() async throws {
        try await TestServer.run { server in
            let client = try await server.connect()
            try await client.send(TunnelClient.request(.http1) + "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            let answers = try await client.read(until: "hello", times: 2)
            #expect(answers.components(separatedBy: "HTTP/1.1 200 OK").count == 3)
        }
    }

    @Test("Declined on HTTP/2 with a 2xx, which would be taken for agreement, the client is told 501; any other status is its own")
    func declinedOnHTTP2() async throws {
        try await TestServer.run(decorator: PriorKnowledge()) { request in
            .now(.text(request.target.path == "/chat" ? .ok : .unauthorized, "hello"))
        } _: { server in
            let client = try await FrameClient(port: server.port)
            try await client.send(.headers(1, TunnelClient.frames, end: false))
            #expect(try await client.answer(on: 1)?.status == "501")
            let elsewhere = TunnelClient.frames.map { $0.0 == ":path" ? ($0.0, "/other") : $0 }
            try await client.send(.headers(3, elsewhere, end: false))
            #expect(try await client.answer(on: 3)?.status == "401")
            try await client.send(.headers(5, WireFrame.request("GET", "/chat")))
            #expect(try await client.answer(on: 5)?.status == "200")
        }
    }

    @Test("A tunnel that nobody asked for, and 101 without one, are errors of ours", arguments: Wire.allCases)
    func unasked(_ wire: Wire) async throws {
        let answers: [Response] = [
            Response(.switchingProtocols, body: .tunnel { _ in Issue.record("There is no tunnel.") }),
            Response(.ok, body: .tunnel { _ in Issue.record("There is no tunnel.") }), Response(.switchingProtocols), Response(.continue),
        ]
        for answer in answers where wire != .tls {
            try await TestServer.run(decorator: wire.decorator) { _ in
                .now(answer)
            } _: { server in
                if wire == .http2 {
                    let client = try await FrameClient(port: server.port)
                    try await client.send(.headers(1, WireFrame.request()))
                    #expect(try await client.answer(on: 1)?.status == "500")
                } else {
                    #expect(try await server.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").contains(" 500 "))
                }
            }
        }
    }

    @Test("SETTINGS say that an extended CONNECT is understood (RFC 8441 §3)")
    func settings() async throws {
        try await TestServer.run(decorator: PriorKnowledge()) { server in
            let client = try await FrameClient(port: server.port, greets: false)
            try await client.send(bytes: WireFrame.preface + WireFrame.settings().bytes)
            let frame = try #require(await client.next { $0.type == WireFrame.FrameType.settings })
            let pairs = stride(from: 0, to: frame.payload.count, by: 6).map { Array(frame.payload[$0..<$0 + 6]) }
            #expect(pairs.contains([0, 8, 0, 0, 0, 1]))
        }
    }

    @Test(
        "A CONNECT that is no tunnel to here is refused",
        arguments: [
            [(":method", "CONNECT"), (":authority", "other:443")],
            [(":method", "GET"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/"), (":authority", "a")],
            [(":method", "CONNECT"), (":protocol", "web socket"), (":scheme", "http"), (":path", "/"), (":authority", "a")],
            TunnelClient.frames + [("content-length", "5")],
        ])
    func refused(_ fields: [(String, String)]) async throws {
        try await TestServer.run(decorator: PriorKnowledge()) { _ in
            Issue.record("This is no request.")
            return .now(.text(.ok, "hello"))
        } _: { server in
            let client = try await FrameClient(port: server.port)
            try await client.send(.headers(1, fields, end: false))
            let answer = try await client.answer(on: 1)
            #expect(answer?.status == "400" || answer?.reset == ErrorCode.protocolError)
        }
    }
}
