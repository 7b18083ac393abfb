import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1
import Testing

@testable import GateNet

@Suite("The outgoing client: bodies on their way", .timeLimit(.minutes(1)))
struct ClientStreamingTests {
    private static func request(_ path: String = "/", body: RequestBody = .empty) -> StreamedRequest {
        StreamedRequest(.POST, path, body: body, responseTime: .seconds(10), idleTime: .seconds(10))
    }

    /// Sends back each part of the body as it comes.
    private static func echo(_ request: Request) -> Answer {
        let length: Int? = if case .stream(let length?, _) = request.body { length } else { nil }
        return .now(
            Response(
                .ok,
                body: .stream(length: length) { writer in
                    guard case .stream(_, let stream) = request.body else { return }
                    while let part = try await stream.next() { try await writer.write(part) }
                }))
    }

    @Test("Both directions at once: the response is read while the request is still being sent", arguments: [nil, 10])
    func bothWays(_ length: Int?) async throws {
        try await TestServer.run(answer: Self.echo) { server in
            try await HTTPClient.run { client in
                let parts = GivenParts()
                let endpoint = client.to(server.port)
                let response = try await endpoint.stream(Self.request(body: .stream(length: length, parts)))
                #expect(response.status == .ok && response.length == length)
                parts.give("first")
                #expect(try await response.next().map { String(buffer: $0) } == "first")
                parts.give("again")
                #expect(try await response.next().map { String(buffer: $0) } == "again")
                parts.finish()
                #expect(try await response.next() == nil)
                #expect(try await response.next() == nil, "After the end there is nothing, however often it is asked for.")
                #expect(try await endpoint.stream(Self.request(body: .bytes(ByteBuffer(string: "x")))).text == "")
                #expect(await client.connectionCount() == 1, "The connection goes on.")
            }
        }
    }

    @Test("Megabytes through a proxy's hands, in both directions")
    func large() async throws {
        try await TestServer.run(answer: Self.echo) { server in
            try await HTTPClient.run { client in
                let parts = Parts((0..<64).map { String(repeating: "\($0 % 10)", count: 64 << 10) })
                let response = try await client.to(server.port).stream(Self.request(body: .stream(length: 4 << 20, parts)))
                let body = try await response.text
                #expect(body.utf8.count == 4 << 20 && body.hasPrefix("0") && body.hasSuffix("3"))
            }
        }
    }

    @Test("No more is read than is asked for")
    func backPressure() async throws {
        let written = AsyncStream<Int>.makeStream()
        try await TestServer.run { _ in
            .now(
                Response(
                    .ok,
                    body: .stream(length: nil) { writer in
                        for number in 0..<1024 {
                            try await writer.write(ByteBuffer(repeating: 0x61, count: 64 << 10))
                            written.continuation.yield(number)
                        }
                        written.continuation.finish()
                    }))
        } _: { server in
            try await HTTPClient.run { client in
                let response = try await client.to(server.port).stream(Self.request())
                _ = try await response.next()
                // What fits into the buffers between them is written, and no more: the writer stands still well before the end.
                #expect(server.observer.all.isEmpty)
                var size = 0
                while let part = try await response.next() { size += part.readableBytes }
                #expect(size > 60 << 20)
                #expect(await written.stream.reduce(0) { sum, _ in sum + 1 } == 1024)
            }
        }
    }

    @Test("A response before the end of the request ends the request")
    func earlyResponse() async throws {
        try await ScriptedServer.run([
            .await("first"), .send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno"), .awaitEnd,
        ]) { server in
            try await HTTPClient.run { client in
                let parts = GivenParts()
                parts.give("first")
                let response = try await client.to(server.port).stream(Self.request(body: .stream(length: 1000, parts)))
                #expect(response.status == .payloadTooLarge)
                #expect(try await response.text == "no")
                #expect(await server.ended.first { _ in true } == 0, "The rest would be read as another request.")
                #expect(await client.connectionCount() == 0)
            }
        }
    }

    @Test("Letting go of a body before its end gives the exchange up")
    func lettingGo() async throws {
        try await ScriptedServer.run([.await("\r\n\r\n"), .send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbegin"), .awaitEnd]) {
            server in
            try await HTTPClient.run { client in
                do {
                    let response = try await client.to(server.port).stream(Self.request())
                    #expect(try await response.next().map { String(buffer: $0) } == "begin")
                }
                #expect(await server.ended.first { _ in true } == 0)
                #expect(await client.connectionCount() == 0)
            }
        }
    }

    @Test("A response without a body leaves the connection free at once")
    func withoutBody() async throws {
        try await TestServer.run(answer: { _ in .now(Response(.noContent)) }) { server in
            try await HTTPClient.run { client in
                let endpoint = client.to(server.port)
                for _ in 0..<2 {
                    let response = try await endpoint.stream(Self.request())
                    guard case .whole(let bytes) = response.body else {
                        Issue.record("\(response.body)")
                        return
                    }
                    #expect(bytes.readableBytes == 0 && response.length == nil)
                }
                #expect(await client.connectionCount() == 1)
            }
        }
    }

    @Test(
        "A body that is not what was said, or breaks off, never reaches the server as a whole one",
        arguments: [(5, ["abc"], nil), (2, ["abc"], nil), (nil, ["abc"], BodyError.disconnected), (5, ["abc"], .timedOut)]
            as [(Int?, [String], BodyError?)])
    func brokenBody(_ length: Int?, _ parts: [String], _ error: BodyError?) async throws {
        try await ScriptedServer.run([.awaitEnd]) { server in
            try await HTTPClient.run { client in
                let failure = await #expect(throws: OutgoingError.self) {
                    try await client.to(server.port).stream(Self.request(body: .stream(length: length, Parts(parts, then: error))))
                }
                #expect(failure?.reason == .badRequest)
                _ = await server.ended.first { _ in true }
                #expect(!server.received[0].hasSuffix("0\r\n\r\n"))
            }
        }
    }

    @Test("Silence in the middle of a body is limited, a slow body is not")
    func idleLimit() async throws {
        let gate = Gate()
        try await TestServer.run { _ in
            .now(
                Response(
                    .ok,
                    body: .stream(length: nil) { writer in
                        for _ in 0..<8 {
                            try await Task.sleep(for: .milliseconds(50))
                            try await writer.write(ByteBuffer(string: "x"))
                        }
                        await gate.wait()
                    }))
        } _: { server in
            try await HTTPClient.run { client in
                let request = StreamedRequest(.POST, "/", responseTime: .milliseconds(300), idleTime: .milliseconds(300))
                let response = try await client.to(server.port).stream(request)
                var body = ""
                await #expect(throws: BodyError.timedOut) {
                    while let part = try await response.next() { body += String(buffer: part) }
                }
                #expect(body == "xxxxxxxx", "Eight parts took longer than the limit, together.")
            }
            gate.open()
        }
    }

    @Test("A proxy between the client and a server passes everything on")
    func proxy() async throws {
        try await TestServer.run(answer: Self.echo) { upstream in
            try await HTTPClient.run { client in
                let endpoint = client.to(upstream.port)
                try await TestServer.run { request in
                    .later {
                        guard
                            let answer = try? await endpoint.stream(
                                StreamedRequest(request.method, request.target.raw, authority: request.authority, body: request.body))
                        else { return Response(.badGateway) }
                        return Response(
                            answer.status,
                            body: .stream(length: answer.length) { writer in
                                while let part = try await answer.next() { try await writer.write(part) }
                            })
                    }
                } _: { proxy in
                    let connection = try await proxy.connect()
                    for _ in 0..<3 {
                        try await connection.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
                        try await connection.send("5\r\nfirst\r\n")
                        #expect(try await connection.read(until: "first").contains("200 OK"))
                        try await connection.send("5\r\nagain\r\n0\r\n\r\n")
                        #expect(try await connection.read(until: "0\r\n\r\n").contains("again"))
                    }
                    #expect(await client.connectionCount() == 1)
                }
            }
        }
    }
}
