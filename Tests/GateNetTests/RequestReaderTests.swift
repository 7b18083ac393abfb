import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1
import Testing

@testable import GateNet

@Suite("Reading requests")
struct RequestReaderTests {
    private func head(_ text: String) throws -> RequestHead {
        var reader = RequestReader(limits: ServerLimits())
        var bytes = ByteBuffer(string: text)
        reader.append(&bytes)
        return try #require(try reader.nextHead())
    }

    @Test("Fields keep their order and spelling, without the white space around them")
    func fields() throws {
        let head = try head("PATCH /a/%2F/../b?c=d&e HTTP/1.1\r\nHost: Example.COM:8080\r\nX-A:  b c\t \r\nx-a:\r\n\r\n")
        #expect(head.method == .PATCH)
        guard case .origin(let target) = head.target else { throw RequestFault.malformed("") }
        #expect(target.path == "/a/%2F/../b" && target.query == "c=d&e")
        #expect(head.authority == "example.com:8080")
        #expect(head.headers.map(\.name) == ["Host", "X-A", "x-a"])
        #expect(head.headers["x-a"] == ["b c", ""])
        #expect(head.isHTTP11 && head.keepsAlive && head.framing == .none)
    }

    @Test("An absolute target names the host, whatever Host says")
    func absoluteForm() throws {
        for (text, path) in [("http://Real.example/a?b", "/a?b"), ("https://real.example", "/"), ("HTTP://real.example?b", "/?b")] {
            let head = try head("GET \(text) HTTP/1.1\r\nHost: other\r\n\r\n")
            guard case .origin(let target) = head.target else { throw RequestFault.malformed("") }
            #expect(target.raw == path)
            #expect(head.authority == "real.example")
            #expect(head.headers["host"] == ["real.example"])
        }
    }

    @Test(
        "The connection stays or not",
        arguments: [
            ("HTTP/1.1\r\nHost: a", true), ("HTTP/1.1\r\nHost: a\r\nConnection: close", false),
            ("HTTP/1.1\r\nHost: a\r\nConnection: x, CLOSE", false), ("HTTP/1.0\r\nHost: a", false), ("HTTP/1.0", false),
            ("HTTP/1.0\r\nConnection: Keep-Alive", true), ("HTTP/1.0\r\nConnection: keep-alive, close", false),
        ])
    func keepAlive(_ lines: String, _ stays: Bool) throws {
        #expect(try head("GET / \(lines)\r\n\r\n").keepsAlive == stays)
    }

    @Test("Chunks are joined, extensions dropped, trailers kept, and nothing behind them is touched")
    func chunks() throws {
        let text =
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
            + "5;a=\"b\"\r\nhello\r\n00B\r\n, chunked w\r\n4\r\norld\r\n0\r\nX: y\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n"
        for size in [1, 2, 3, 7, 1000] {
            var reader = RequestReader(limits: ServerLimits())
            var body = ""
            var heads: [RequestHead] = []
            var trailers: HTTPHeaders?
            var rest = ByteBuffer(string: text)
            while var part = rest.readSlice(length: min(size, rest.readableBytes)), part.readableBytes > 0 {
                reader.append(&part)
                while true {
                    if reader.isBodyComplete {
                        guard let head = try reader.nextHead() else { break }
                        heads.append(head)
                    }
                    guard case .part(let part) = try reader.nextBodyPart() else {
                        if reader.isBodyComplete, heads.count == 1 { trailers = reader.trailers }
                        if reader.isBodyComplete, reader.bufferedBytes > 0, heads.count == 1 { continue }
                        break
                    }
                    body += String(buffer: part)
                }
            }
            #expect(body == "hello, chunked world")
            #expect(trailers == ["X": "y"])
            #expect(heads.map(\.framing) == [.chunked, .none], "in pieces of \(size)")
        }
    }

    @Test("One empty line before a request is ignored, also in pieces")
    func emptyLine() throws {
        var reader = RequestReader(limits: ServerLimits())
        for piece in ["\r", "\nGE", "T / HTTP/1.1\r\nHost: a\r\n\r"] {
            var bytes = ByteBuffer(string: piece)
            reader.append(&bytes)
            #expect(try reader.nextHead() == nil)
        }
        var bytes = ByteBuffer(string: "\n")
        reader.append(&bytes)
        #expect(try reader.nextHead()?.method == .GET)
    }

    @Test("Two empty lines before a request are refused, however the bytes are cut (found by fuzzing)", arguments: [1, 2, 3, 64])
    func twoEmptyLines(size: Int) {
        var reader = RequestReader(limits: ServerLimits())
        var rest = Array("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)[...]
        #expect(throws: RequestFault.self) {
            while !rest.isEmpty {
                var bytes = ByteBuffer(bytes: rest.prefix(size))
                rest = rest.dropFirst(size)
                reader.append(&bytes)
                _ = try reader.nextHead()
            }
        }
    }

    @Test("What a connection sent before changes nothing in how its next head is read")
    func recentFields() throws {
        let long = String(repeating: "x", count: 3000)
        let texts = [
            "GET /a HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n", "GET /b?c HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n",
            "GET /a HTTP/1.1\r\nHost: a\r\nX: 2\r\n\r\n", "GET /a HTTP/1.1\r\nHost: b\r\nX: 2\r\n\r\n",
            "GET http://other/ HTTP/1.1\r\nHost: b\r\nX: 2\r\n\r\n", "GET / HTTP/1.1\r\nHost: b\r\nX: 2\r\n\r\n",
            "GET / HTTP/1.0\r\nHost: b\r\nX: 2\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: b\r\nX: 2\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: b\r\nX: 2\r\nY:\r\n\r\n", "GET / HTTP/1.1\r\nHost: b\r\nX: \(long)\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: b\r\nX: \(long)\r\n\r\n", "GET / HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n", "POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 0\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 0\r\n\r\n", "GET / HTTP/1.1\r\nHost: b\r\nVia: 1.1 p\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: b\r\nVia: 1.1 p\r\n\r\n", "GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.0\r\n\r\n",
        ]
        var reader = RequestReader(limits: ServerLimits())
        for (place, text) in texts.enumerated() {
            var bytes = ByteBuffer(string: text)
            reader.append(&bytes)
            #expect("\(try #require(try reader.nextHead()))" == "\(try head(text))", "\(text)")
            if place == 3 { reader.forgetFields() }
        }
    }

    @Test("Fields that were good before are refused where they are missing what the version needs")
    func recentFieldsRefused() throws {
        var reader = RequestReader(limits: ServerLimits())
        var bytes = ByteBuffer(string: "GET / HTTP/1.0\r\nX: 1\r\n\r\nGET / HTTP/1.1\r\nX: 1\r\n\r\n")
        reader.append(&bytes)
        #expect(try reader.nextHead()?.version == .http10)
        #expect(throws: RequestFault.malformed("The Host field is missing.")) { try reader.nextHead() }
    }

    @Test("CHECKLIST 33: nor are fields that frame a body taken over by a version that does not know them")
    func recentFramingRefused() throws {
        let fields = "Host: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        for (second, isRead) in [("HTTP/1.1", true), ("HTTP/1.0", false)] {
            var reader = RequestReader(limits: ServerLimits())
            var bytes = ByteBuffer(string: "POST / HTTP/1.1\r\n\(fields)0\r\n\r\nPOST / \(second)\r\n\(fields)0\r\n\r\n")
            reader.append(&bytes)
            #expect(try reader.nextHead()?.framing == .chunked)
            guard case .end = try reader.nextBodyPart() else {
                Issue.record("the body is empty")
                return
            }
            if isRead {
                #expect(try reader.nextHead()?.framing == .chunked)
            } else {
                #expect(throws: RequestFault.self) { try reader.nextHead() }
            }
        }
    }

    @Test(
        "What a proxy may have said is seen under every name that it is looked for",
        arguments: [
            ("Via", true), ("FORWARDED", true), ("x-forwarded-for", true), ("X-Forwarded-Proto", true), ("X-Forwarded-Host", true),
            ("Vib", false), ("X-Forwarded-Port", false), ("Accept", false),
        ])
    func mayBeForwarded(_ name: String, _ isSeen: Bool) throws {
        #expect(try head("GET / HTTP/1.1\r\nHost: a\r\n\(name): x\r\n\r\n").mayBeForwarded == isSeen)
    }

    @Test("Ids of one process are all different")
    func requestIDs() {
        var seen: Set<RequestID> = []
        for loop in 0..<4 {
            var sequence = RequestIDSequence(start: .max - 500, loop: loop)
            for _ in 0..<2000 { seen.insert(sequence.next()) }
        }
        #expect(seen.count == 8000)
    }
}
