import GateCore
import GateHTTP
import NIOCore
import NIOHPACK
import NIOHTTP1
import Testing

@testable import GateNet

@Suite("HTTP/2 exchanges")
struct HTTP2ExchangeTests {
    private static let megabytes = ByteBuffer(repeating: 0x61, count: 3 << 20)

    @Test("A response larger than every window comes whole, given at once or in parts", arguments: [false, true])
    func download(_ isStreamed: Bool) async throws {
        try await TestServer.run(decorator: PriorKnowledge()) { _ in
            guard isStreamed else { return .now(Response(.ok, body: .bytes(Self.megabytes))) }
            return .now(
                Response(
                    .ok,
                    body: .stream(length: nil) { writer in
                        for _ in 0..<48 { try await writer.write(ByteBuffer(repeating: 0x61, count: 1 << 16)) }
                    }))
        } _: { server in
            let client = try await FrameClient(port: server.port)
            try await client.send(.headers(1, WireFrame.request()))
            #expect(try await client.answer(on: 1)?.body.count == 3 << 20)
        }
    }

    @Test("A client with large windows may open them again for every few KiB that it has read, as Go's does")
    func smallUpdates() async throws {
        let size = 8 << 20
        try await TestServer.run(decorator: PriorKnowledge()) { _ in
            .now(Response(.ok, body: .bytes(ByteBuffer(repeating: 0x61, count: size))))
        } _: { server in
            let client = try await FrameClient(port: server.port, settings: [(4, UInt32(size))])
            try await client.send(.windowUpdate(0, UInt32(size)))
            try await client.send(.headers(1, WireFrame.request()))
            var received = 0
            while received < size {
                let frame = try #require(await client.next { $0.stream == 1 && $0.type == WireFrame.FrameType.data })
                received += frame.payload.count
            }
            try await client.send((0..<size / 4096).map { _ in .windowUpdate(0, 4096) })
            try await client.send(.headers(3, WireFrame.request("HEAD")))
            #expect(try await client.answer(on: 3)?.status == "200")
        }
    }

    @Test("An upload is given room as it is read, and no more")
    func upload() async throws {
        try await TestServer.run(decorator: PriorKnowledge()) { request in
            .later { .text(.ok, "\((try? await request.body.collect(upTo: 8 << 20))?.readableBytes ?? -1)") }
        } _: { server in
            let client = try await FrameClient(port: server.port)
            try await client.send(.headers(1, WireFrame.request("POST"), end: false))
            var (stream, connection, left) = (HTTP2Window.stream, 65_535, 2 << 20)
            while left > 0 {
                let count = min(stream, connection, left, 16_384)
                if count > 0 {
                    left -= count
                    stream -= count
                    connection -= count
                    try await client.send(.data(1, [UInt8](repeating: 0x61, count: count), end: left == 0))
                } else {
                    let update = try #require(await client.next { $0.type == WireFrame.FrameType.windowUpdate })
                    if update.stream == 0 { connection += Int(update.number(at: 0)) } else { stream += Int(update.number(at: 0)) }
                    #expect(stream <= HTTP2Window.stream && connection <= HTTP2Window.connection)
                }
            }
            #expect(try await client.answer(on: 1)?.text == "\(2 << 20)")
        }
    }

    @Test("Both bodies stream at once; trailers of the client are tolerated")
    func echo() async throws {
        try await TestServer.run(decorator: PriorKnowledge()) { request in
            .now(
                Response(
                    .ok,
                    body: .stream(length: nil) { writer in
                        guard case .stream(_, let stream) = request.body else { return }
                        while let part = try await stream.next() { try await writer.write(part) }
                    }))
        } _: { server in
            let client = try await FrameClient(port: server.port)
            try await client.send(.headers(1, WireFrame.request("POST"), end: false))
            for text in ["first", "again"] {
                try await client.send(.data(1, text))
                #expect(await client.next { $0.type == WireFrame.FrameType.data }?.text == text)
            }
            try await client.send(.headers(1, [("x-checksum", "1")]))
            #expect(await client.next { $0.has(WireFrame.endStream) && $0.stream == 1 }?.type == WireFrame.FrameType.data)
        }
    }

    @Test("HEAD, 204 and 304 have no body", arguments: ["HEAD /200", "GET /204", "GET /304"])
    func bodiless(_ line: String) async throws {
        let words = line.split(separator: " ").map(String.init)
        try await TestServer.run(decorator: PriorKnowledge()) { request in
            .now(.text(HTTPResponseStatus(statusCode: Int(request.target.path.dropFirst())!), "hello"))
        } _: { server in
            let client = try await FrameClient(port: server.port)
            try await client.send(.headers(1, WireFrame.request(words[0], words[1])))
            let answer = try await client.answer(on: 1)
            #expect(answer?.status == String(words[1].dropFirst()) && answer?.body.isEmpty == true)
            #expect(answer?.headers.first(name: "content-length") == (words[0] == "HEAD" ? "5" : nil))
        }
    }

    @Test("CHECKLIST 34: the last request that a connection may have is answered, and GOAWAY said")
    func requestCount() async throws {
        try await TestServer.run(.with { $0.limits.requestsPerConnection = 2 }, decorator: PriorKnowledge()) { server in
            let client = try await FrameClient(port: server.port)
            try await client.send(.headers(1, WireFrame.request()), .headers(3, WireFrame.request()))
            #expect(try await client.answer(on: 3)?.text == "hello")
            let ending = await client.ending()
            #expect(ending.isClosed && Set(client.seen.filter { $0.type == 7 }.map { $0.number(at: 4) }) == [ErrorCode.noError])
        }
    }
}
