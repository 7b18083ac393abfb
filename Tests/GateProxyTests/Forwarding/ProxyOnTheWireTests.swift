import GateAccess
import GateCore
import GateHTTP
import GateNet
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import GateProxy

@Suite("A proxy between two connections", .timeLimit(.minutes(1)))
struct ProxyOnTheWireTests {
    /// A server whose every request goes to `rig`, for the time of `body`.
    private static func serve(
        rules change: (inout UpstreamRules) -> Void = { _ in }, site: (inout SiteRoute) -> Void = { _ in },
        _ body: (_ client: Conversation, _ application: StandIn, _ rig: Rig) async throws -> Void
    ) async throws {
        try await Rig.run(rules: change, site: site) { rig, application in
            let server = HTTPServer(
                [Listener(.tcp(host: "127.0.0.1", port: 0))], responder: Passing(handler: rig.handler), observer: Silent(),
                group: MultiThreadedEventLoopGroup.singleton)
            let port = try await server.start()[0].port!
            let result = await Result { try await body(try await Conversation.connect(port: port), application, rig) }
            await server.shutdownGracefully(within: .zero)
            try result.get()
        }
    }

    private struct Passing: Responder {
        let handler: UpstreamHandler
        func respond(to request: Request) -> Answer { handler.answer(AdmittedRequest(withholdingNothingOf: request)) }
    }

    private struct Silent: ExchangeObserver {
        func finished(_ exchange: Exchange) {}
    }

    @Test func `requests on one connection go over one connection`() async throws {
        try await Self.serve { client, application, rig in
            var connection: Conversation?
            for number in 0..<3 {
                try await client.send("GET /\(number) HTTP/1.1\r\nHost: a.example\r\n\r\n")
                if connection == nil { connection = try await application.accept() }
                #expect(try await connection!.head().hasPrefix("GET /\(number) HTTP/1.1\r\nHost: a.example\r\n"))
                try await connection!.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\(number)")
                #expect(try await client.read(until: "\r\n\r\n\(number)").hasPrefix("HTTP/1.1 200 OK\r\n"))
            }
            #expect(rig.upstream.reports[0].requests == 3)
        }
    }

    @Test func `a client that hangs up while the application thinks ends the request there`() async throws {
        try await Self.serve { client, application, rig in
            try await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            let connection = try await application.accept()
            _ = try await connection.head()
            await client.close()
            #expect(try await connection.readToEnd() == "")
            #expect(rig.upstream.reports[0].failures == 0)
        }
    }

    @Test func `a client that hangs up in the middle of events ends them`() async throws {
        try await Self.serve { client, application, _ in
            try await client.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
            let connection = try await application.accept()
            _ = try await connection.head()
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
            #expect(try await client.read(until: "data: 1\n\n").contains("text/event-stream"))
            await client.close()
            #expect(try await connection.readToEnd() == "")
        }
    }

    @Test func `an upload is asked for, passed on and answered`() async throws {
        try await Self.serve { client, application, _ in
            try await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
            let connection = try await application.accept()
            #expect(try await connection.head().lowercased().contains("expect: 100-continue"))
            try await connection.send("HTTP/1.1 100 Continue\r\n\r\n")
            #expect(try await client.head() == "HTTP/1.1 100 Continue\r\n\r\n")
            try await client.send("hello")
            #expect(try await connection.read(5) == "hello")
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            #expect(try await client.read(until: "\r\n\r\nok").hasPrefix("HTTP/1.1 200 OK"))
        }
    }

    @Test func `a slow reader slows the application down`() async throws {
        try await Self.serve { client, application, _ in
            try await client.pause()
            try await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            let connection = try await application.accept()
            _ = try await connection.head()
            let size = 64 << 20
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
            let sending = Task { try await connection.send(String(repeating: "x", count: size)) }
            // The kernel's buffers take some megabytes of it, and then it stands.
            try await client.goOn()
            let head = try await client.head()
            #expect(head.contains("Content-Length: \(size)\r\n"))
            var left = size
            while left > 0 {
                let part = try await client.read(min(left, 1 << 20))
                #expect(!part.isEmpty)
                left -= part.utf8.count
            }
            try await sending.value
        }
    }

    @Test func `a WebSocket over HTTP/1.1`() async throws {
        try await Self.serve { client, application, _ in
            try await client.send(
                """
                GET /chat HTTP/1.1\r
                Host: a.example\r
                Connection: Upgrade\r
                Upgrade: WebSocket\r
                Sec-WebSocket-Version: 13\r
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
                \r\n
                """)
            let connection = try await application.accept()
            #expect(try await connection.head().contains("\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"))
            try await connection.send(
                """
                HTTP/1.1 101 Switching Protocols\r
                Connection: upgrade\r
                Upgrade: websocket\r
                Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r
                \r\nfirst
                """)
            let head = try await client.head()
            #expect(head.hasPrefix("HTTP/1.1 101 "))
            #expect(head.contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
            #expect(try await client.read(5) == "first")
            try await client.send("from the client")
            #expect(try await connection.read(15) == "from the client")
            await connection.close()
            #expect(try await client.readToEnd() == "")
        }
    }

    @Test(
        "CHECKLIST 33: what could be read in two ways reaches no application",
        arguments: [
            "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
            "Content-Length: +5\r\n\r\nhello", "Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n",
            "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
            "A: b\n\r\n", "A: b\r\n folded\r\n\r\n", "A\0: b\r\n\r\n", "Transfer-Encoding:\u{0B}chunked\r\n\r\n0\r\n\r\n",
        ])
    func smuggling(fields: String) async throws {
        try await Self.serve { client, _, rig in
            try await client.send("POST / HTTP/1.1\r\nHost: a\r\n\(fields)")
            #expect(try await client.readToEnd().hasPrefix("HTTP/1.1 400 "))
            #expect(rig.upstream.reports[0].requests == 0)
        }
    }

    @Test func `chunks that turn out malformed never reach the application as a whole body`() async throws {
        try await Self.serve { client, application, rig in
            try await client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
            let connection = try await application.accept()
            #expect(try await connection.read(until: "abc\r\n").contains("Transfer-Encoding: chunked"))
            try await client.send("zz\r\n\r\nGET /admin HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(!(try await connection.readToEnd()).contains("0\r\n\r\n"))
            #expect(try await client.readToEnd().hasPrefix("HTTP/1.1 400 "))
            #expect(rig.upstream.reports[0].failures == 0)
        }
    }
}
