import GateCore
import GateHTTP
import NIOCore
import NIOHPACK
import NIOHTTP1
import Testing

@testable import GateNet

/// A response that begins, or ends, before the request has come whole.
@Suite("Early responses")
struct EarlyResponseTests {
    /// Answers before it reads anything, and tells at the end how much came.
    private static func count(_ request: Request) -> Answer {
        .now(
            Response(
                .ok,
                body: .stream(length: nil) { writer in
                    try await writer.write(ByteBuffer(string: "begun "))
                    guard case .stream(_, let stream) = request.body else { return }
                    var total = 0
                    while let part = try await stream.next() { total += part.readableBytes }
                    try await writer.write(ByteBuffer(string: "read \(total)."))
                }))
    }

    private static let size = 8 << 20

    @Test("It begins while the body still arrives, which is read to its end: HTTP/1.1", arguments: [true, false])
    func begunHTTP1(_ hasLength: Bool) async throws {
        try await TestServer.run(answer: Self.count) { server in
            let client = try await server.connect()
            let framing = hasLength ? "Content-Length: \(Self.size)" : "Transfer-Encoding: chunked"
            try await client.send("POST / HTTP/1.1\r\nHost: a\r\n\(framing)\r\n\r\n")
            _ = try await client.read(until: "begun ")
            let body = [UInt8](repeating: 0x61, count: Self.size)
            if hasLength {
                try await client.send(body)
            } else {
                try await client.send(String(Self.size, radix: 16) + "\r\n")
                try await client.send(body)
                try await client.send("\r\n0\r\n\r\n")
            }
            #expect(try await client.read(until: "0\r\n\r\n").contains("read \(Self.size)."))
        }
    }

    @Test("It begins while the body still arrives, which is read to its end: HTTP/2")
    func begunHTTP2() async throws {
        try await TestServer.run(decorator: PriorKnowledge(), answer: Self.count) { server in
            let client = try await FrameClient(port: server.port)
            try await client.send(.headers(1, WireFrame.request("POST"), end: false))
            let begun = await client.next { $0.type == WireFrame.FrameType.data }
            #expect(begun?.text == "begun ")
            try await client.send((0..<3).map { .data(1, [UInt8](repeating: 0x61, count: 16_384), end: $0 == 2) })
            let read = await client.next { $0.type == WireFrame.FrameType.data }
            #expect(read?.text == "read \(3 * 16_384).")
            let end = await client.next { $0.has(WireFrame.endStream) }
            #expect(end?.stream == 1)
        }
    }

    @Test("A response that nobody asked the body for brings no 100 Continue, on either version; one that reads it later does not either")
    func noContinue() async throws {
        try await TestServer.run(answer: Self.count) { server in
            let client = try await server.connect()
            try await client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
            #expect(try await client.read(until: "begun ").hasPrefix("HTTP/1.1 200 "))
            try await client.send("abc")
            let rest = try await client.readToEnd()
            #expect(rest.contains("read 3.") && !rest.contains(" 100 "))
        }
        try await TestServer.run(decorator: PriorKnowledge(), answer: Self.count) { server in
            let client = try await FrameClient(port: server.port)
            try await client.send(.headers(1, WireFrame.request("POST") + [("expect", "100-continue")], end: false))
            let next = await client.next { $0.type == WireFrame.FrameType.headers }
            let head = try #require(next)
            #expect(try client.fields(of: head).first(name: ":status") == "200")
            try await client.send(.data(1, "abc", end: true))
            let read = await client.next { $0.type == WireFrame.FrameType.data && !$0.text.hasPrefix("begun") }
            #expect(read?.text == "read 3.")
        }
    }

    @Test("100 Continue comes with the first reading of the body, on HTTP/2 too")
    func continues() async throws {
        let gate = Gate()
        try await TestServer.run(decorator: PriorKnowledge()) { request in
            .later {
                await gate.wait()
                return .text(.ok, "\((try? await request.body.collect(upTo: 10))?.readableBytes ?? -1)")
            }
        } _: { server in
            let client = try await FrameClient(port: server.port)
            try await client.send(.headers(1, WireFrame.request("POST") + [("expect", "100-continue")], end: false), .ping())
            // Nothing before the answer to the PING that came behind the request.
            let first = await client.next { $0.type == WireFrame.FrameType.headers || $0.type == WireFrame.FrameType.ping }
            #expect(first?.type == WireFrame.FrameType.ping)
            gate.open()
            let next = await client.next { $0.type == WireFrame.FrameType.headers }
            let interim = try #require(next)
            #expect(try client.fields(of: interim).first(name: ":status") == "100" && !interim.has(WireFrame.endStream))
            try await client.send(.data(1, "abc", end: true))
            #expect(try await client.answer(on: 1)?.text == "3")
        }
    }
}
