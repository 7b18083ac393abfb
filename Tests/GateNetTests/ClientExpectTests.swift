import GateCore
import GateHTTP
import GateTesting
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@testable import GateNet

@Suite("The outgoing client: 100 Continue and early responses", .timeLimit(.minutes(1)))
struct ClientExpectTests {
    /// A body that tells whether it was asked for.
    private final class Watched: BodyStream {
        private let begun = Atomic<Bool>(false)
        private let parts: Parts

        var isBegun: Bool { begun.load(ordering: .relaxed) }

        init(_ parts: [String]) { self.parts = Parts(parts) }

        func next() async throws(BodyError) -> ByteBuffer? {
            begun.store(true, ordering: .relaxed)
            return try await parts.next()
        }
    }

    private static func request(_ body: any BodyStream, length: Int? = 5) -> StreamedRequest {
        StreamedRequest(
            .POST, "/", headers: ["expect": "100-continue"], body: .stream(length: length, body), expectsContinue: true)
    }

    private static let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    @Test("The body is read once the server asks for it, and the connection goes on")
    func asked() async throws {
        let script: [ScriptedServer.Step] = [
            .await("\r\n\r\n"), .send("HTTP/1.1 100 Continue\r\n\r\n"), .await("hello"), .send(Self.answer),
        ]
        try await ScriptedServer.run(script + script + [.awaitEnd]) { server in
            try await HTTPClient.run { client in
                let endpoint = client.to(server.port)
                for _ in 0..<2 {
                    let response = try await endpoint.stream(Self.request(Parts(["hel", "lo"])))
                    #expect(try await response.text == "ok")
                }
            }
            let one = "Content-Length: 5\r\nExpect: 100-continue\r\n\r\nhello"
            #expect(server.received[0].components(of: one) == 2 && server.received[0].components(of: "xpect") == 2)
        }
    }

    @Test("Another answer leaves the body unread, and ends the connection", arguments: [413, 200, 417])
    func declined(_ status: Int) async throws {
        let answer = "HTTP/1.1 \(status) X\r\nContent-Length: 2\r\n\r\nno"
        try await ScriptedServer.run([.await("\r\n\r\n"), .send(answer), .awaitEnd]) { server in
            try await HTTPClient.run { client in
                let body = Watched(["hello"])
                let response = try await client.to(server.port).stream(Self.request(body))
                #expect(response.status.code == status)
                #expect(try await response.text == "no")
                #expect(await server.ended.first { _ in true } == 0, "What follows could be taken for the body.")
                #expect(!body.isBegun)
                #expect(await client.connectionCount() == 0)
            }
            #expect(server.received[0].hasSuffix("\r\n\r\n"))
        }
    }

    @Test("A server that says nothing gets the body after a second")
    func silence() async throws {
        let time = ManualTime()
        try await ScriptedServer.run([.await("\r\n\r\n"), .await("hello"), .send(Self.answer), .awaitEnd]) { server in
            try await HTTPClient.run(time: time) { client in
                let body = Watched(["hello"])
                let request = Self.request(body)
                let endpoint = client.to(server.port)
                async let response = endpoint.stream(request)
                _ = try await server.accepted()
                while !server.received[0].hasSuffix("\r\n\r\n") { await Task.yield() }
                time.advance(by: .milliseconds(999))
                try await Task.sleep(for: .milliseconds(120))
                #expect(!body.isBegun)
                time.advance(by: .milliseconds(1))
                #expect(try await response.text == "ok")
            }
        }
    }

    @Test("Other interim responses are no reason to send it")
    func earlyHints() async throws {
        let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        try await ScriptedServer.run([.await("\r\n\r\n"), .send(hints), .send("HTTP/1.1 403 X\r\nContent-Length: 0\r\n\r\n"), .awaitEnd]) {
            server in
            try await HTTPClient.run { client in
                let body = Watched(["hello"])
                let status = try await client.to(server.port).status(Self.request(body))
                #expect(status == .forbidden)
                #expect(!body.isBegun)
            }
        }
    }

    @Test("Through our own server the question reaches the client, and is answered by it")
    func throughProxy() async throws {
        try await TestServer.run { request in
            .later {
                let body = (try? await request.body.collect(upTo: 100)) ?? ByteBuffer()
                return .text(.ok, "got " + String(buffer: body))
            }
        } _: { upstream in
            try await HTTPClient.run { client in
                let endpoint = client.to(upstream.port)
                try await TestServer.run { request in
                    .later {
                        let passed = StreamedRequest(
                            request.method, request.target.raw, body: request.body,
                            expectsContinue: request.headers.contains(name: "expect"))
                        guard let answer = try? await endpoint.stream(passed), let text = try? await answer.text else {
                            return Response(.badGateway)
                        }
                        return .text(.ok, text)
                    }
                } _: { proxy in
                    let connection = try await proxy.connect()
                    try await connection.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
                    #expect(try await connection.read(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
                    try await connection.send("hello")
                    #expect(try await connection.read(until: "got hello").contains("200 OK"))
                }
            }
        }
    }

    @Test("A response that comes while the body is sent is taken, however much of the body is left", arguments: [false, true])
    func early(_ resets: Bool) async throws {
        let refusal = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno"
        // Closed over what has come and was not read, a socket sends a reset (RFC 9112 §9.6).
        try await ScriptedServer.run([.await("0123456789"), .deafen, .send(refusal)] + (resets ? [.close] : [])) { server in
            try await HTTPClient.run { client in
                // The server reads no further: what is left neither fits into the buffers on the way nor is waited for.
                let body = Parts([String](repeating: String(repeating: "0123456789", count: 10_000), count: 400))
                let response = try await client.to(server.port).stream(
                    StreamedRequest(.POST, "/", body: .stream(length: 40_000_000, body)))
                #expect(response.status == .payloadTooLarge)
                #expect(try await response.text == "no")
                #expect(await client.connectionCount() == 0)
            }
        }
    }

    @Test("A server that stops reading is given up after the idle time; a source of ours that is slow is not")
    func idleWhileSending() async throws {
        try await ScriptedServer.run([.deafen]) { server in
            try await HTTPClient.run { client in
                let body = Parts([String](repeating: String(repeating: "x", count: 1 << 20), count: 64))
                let request = StreamedRequest(.POST, "/", body: .stream(length: nil, body), idleTime: .milliseconds(200))
                let error = await #expect(throws: OutgoingError.self) { try await client.to(server.port).stream(request) }
                #expect(error?.reason == .timedOut && error?.progress == .sent && error?.isBodyBegun == true)
                #expect(error?.description.hasSuffix("nothing of the request's body was taken within 200ms") == true)
            }
        }
        try await ScriptedServer.run([.await("end"), .await("0\r\n\r\n"), .send(Self.answer), .awaitEnd]) { server in
            try await HTTPClient.run { client in
                let parts = GivenParts()
                let slow = StreamedRequest(
                    .POST, "/", body: .stream(length: nil, parts), responseTime: .milliseconds(100), idleTime: .milliseconds(100))
                let endpoint = client.to(server.port)
                async let response = endpoint.stream(slow)
                _ = try await server.accepted()
                try await Task.sleep(for: .milliseconds(300))
                parts.give("end")
                parts.finish()
                #expect(try await response.text == "ok")
            }
        }
    }
}

extension String {
    /// How often `part` is in it.
    func components(of part: String) -> Int { ranges(of: part).count }
}
