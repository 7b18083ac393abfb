import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1
import Testing

@testable import GateNet

@Suite("Trailers")
struct TrailerTests {
    /// Answers with the trailers of the request, one for each line, and sends them back as trailers of its own.
    private static func mirror(_ request: Request) -> Answer {
        .now(
            Response(
                .ok,
                body: .stream(length: nil) { writer in
                    guard case .stream(_, let stream) = request.body else { return }
                    while let part = try await stream.next() { try await writer.write(part) }
                    let trailers = await stream.trailers
                    try await writer.write(ByteBuffer(string: trailers.map { "<\($0.name)=\($0.value)>" }.joined()))
                    await writer.trailers(trailers)
                }))
    }

    @Test("They come as they were sent, behind the whole body, and go out likewise: HTTP/1.1")
    func http1() async throws {
        try await TestServer.run(answer: Self.mirror) { server in
            let client = try await server.connect()
            try await client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: ")
            _ = try await client.read(until: "abc\r\n")
            try await client.send(" 1 2\t\r\nX-Empty:\r\nx-sum:3\r\n\r\n")
            let rest = try await client.read(until: "\r\n\r\n")
            #expect(rest.contains("<X-Sum=1 2><X-Empty=><x-sum=3>"))
            #expect(rest.hasSuffix("\r\n0\r\nX-Sum: 1 2\r\nX-Empty: \r\nx-sum: 3\r\n\r\n"))
            // Those of one request are not those of the next.
            try await client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
            #expect(try await client.read(until: "\r\n0\r\n\r\n").hasSuffix("3\r\nabc\r\n0\r\n\r\n"))
        }
    }

    @Test("They come as they were sent, behind the whole body, and go out likewise: HTTP/2", arguments: [false, true])
    func http2(_ atOnce: Bool) async throws {
        try await TestServer.run(decorator: PriorKnowledge(), answer: Self.mirror) { server in
            let client = try await FrameClient(port: server.port)
            let (head, body) = (WireFrame.headers(1, WireFrame.request("POST"), end: false), WireFrame.data(1, "abc"))
            let trailers = WireFrame.headers(1, [("x-sum", "1 2"), ("content-length", "7"), ("x-empty", "")])
            if atOnce {
                try await client.send(head, body, trailers)
            } else {
                try await client.send(head, body)
                let first = await client.next { $0.type == WireFrame.FrameType.data }
                #expect(first?.text == "abc")
                try await client.send(trailers)
            }
            var text = ""
            while let frame = await client.next(where: { $0.stream == 1 }) {
                if frame.type == WireFrame.FrameType.data { text += frame.text }
                guard frame.type == WireFrame.FrameType.headers else { continue }
                let fields = try client.fields(of: frame)
                guard frame.has(WireFrame.endStream) else { continue }
                #expect(fields.map { "\($0.name)=\($0.value)" } == ["x-sum=1 2", "x-empty="])
                break
            }
            #expect(text == (atOnce ? "abc" : "") + "<x-sum=1 2><x-empty=>")
        }
    }

    @Test(
        "CHECKLIST 33: what frames, routes or vouches for a message is no trailer",
        arguments: [
            "Content-Length", "transfer-encoding", "HOST", "Connection", "Trailer", "TE", "Upgrade", "Authorization", "Cookie",
            "Set-Cookie",
            "Content-Type", "Content-Encoding", "Content-Range", "If-Match", "Range", "Expect", "Cache-Control", "Proxy-Authorization",
            "Forwarded", "X-Forwarded-For",
        ])
    func forbidden(_ name: String) async throws {
        try await TestServer.run(answer: Self.mirror) { server in
            let answer = try await server.exchange(
                "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\(name): 1\r\nX-Sum: 2\r\n\r\n")
            #expect(answer.hasSuffix("<X-Sum=2>\r\n0\r\nX-Sum: 2\r\n\r\n"))
        }
        #expect(TrailerFields.sendable([name: "1"]).isEmpty)
    }

    @Test("A trailer that would end early is not sent")
    func unsound() {
        let fields: HTTPHeaders = ["x-a": "1\r\nx-b: 2", "x c": "3", "": "4", "x-d": "5"]
        #expect(TrailerFields.sendable(fields).map(\.name) == ["x-d"])
    }

    @Test("Where there is no place for them they are left out: a body with a length, HTTP/1.0, no body")
    func dropped() async throws {
        try await TestServer.run { request in
            .now(
                Response(
                    .ok,
                    body: .stream(length: request.target.path == "/length" ? 2 : nil) { writer in
                        try await writer.write(ByteBuffer(string: "ok"))
                        await writer.trailers(["x-sum": "1"])
                    }))
        } _: { server in
            for line in ["GET /length HTTP/1.1", "GET / HTTP/1.0", "HEAD / HTTP/1.1"] {
                let answer = try await server.exchange("\(line)\r\nHost: a\r\nConnection: close\r\n\r\n")
                #expect(!answer.contains("x-sum") && answer.hasSuffix(line.hasPrefix("HEAD") ? "\r\n\r\n" : "ok"))
            }
        }
    }

    @Test("Compressed bodies have them too")
    func compressed() async throws {
        try await TestServer.run { _ in
            .now(
                Response(
                    .ok, headers: ["content-type": "text/plain"],
                    body: .stream(length: nil) { writer in
                        try await writer.write(ByteBuffer(string: "text"))
                        await writer.trailers(["x-sum": "1"])
                    }))
        } _: { server in
            let client = try await server.connect()
            try await client.send("GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n")
            #expect(try await client.readBytesToEnd().suffix(15) == Array("0\r\nx-sum: 1\r\n\r\n".utf8)[...])
        }
    }

    @Test("There may be a hundred of them, and eight kilobytes", arguments: [(100, "v", true), (101, "v", false), (90, "v100", false)])
    func limits(_ count: Int, _ value: String, _ isFine: Bool) throws {
        let value = value == "v" ? value : String(repeating: "v", count: 100)
        var buffer = ByteBuffer(string: "0\r\n" + String(repeating: "x: \(value)\r\n", count: count) + "\r\n")
        var decoder = ChunkedBodyDecoder()
        if isFine {
            #expect(try decoder.next(&buffer) == .end)
            #expect(decoder.trailers?.count == count)
        } else {
            #expect(throws: RequestFault.self) { try decoder.next(&buffer) }
        }
    }

    @Test("The trailers that a request's body has not come to are none")
    func tooEarly() async throws {
        try await TestServer.run { request in
            .later {
                guard case .stream(_, let stream) = request.body else { return .text(.badRequest, "no stream") }
                let before = await stream.trailers
                while (try? await stream.next()) != nil {}
                let after = await Task.detached { await stream.trailers }.value
                return .text(.ok, "\(before.count) \(after.count)")
            }
        } _: { server in
            let answer = try await server.exchange(
                "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx: y\r\n\r\n")
            #expect(answer.hasSuffix("0 1"))
        }
    }
}
