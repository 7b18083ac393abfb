import NIOCore
import NIOHTTP1
import Testing

@testable import GateNet

@Suite("Reading responses")
struct ClientResponseReaderTests {
    /// What a response is read as: its status, body, and whether the connection may go on; or why it is refused.
    enum Reading: Equatable, CustomTestStringConvertible {
        case response(Int, String, staysOpen: Bool)
        case malformed
        case tooLarge
        case truncated

        var testDescription: String { "\(self)" }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var bytes: String
        var method = HTTPMethod.GET
        var reading: Reading
        var testDescription: String { name }

        init(_ name: String, _ bytes: String, _ reading: Reading, method: HTTPMethod = .GET) {
            self.name = name
            self.bytes = bytes
            self.reading = reading
            self.method = method
        }
    }

    static let good: [Case] = [
        Case("length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", .response(200, "hello", staysOpen: true)),
        Case("no reason phrase", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", .response(200, "", staysOpen: true)),
        Case("no space behind the status", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", .response(200, "", staysOpen: true)),
        Case("no field at all", "HTTP/1.1 500\r\n\r\nx", .response(500, "x", staysOpen: false)),
        Case(
            "obs-text in the reason", "HTTP/1.1 404 Nicht gefunden \u{E4}\r\nContent-Length: 0\r\n\r\n", .response(404, "", staysOpen: true)
        ),
        Case(
            "chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3;a=b\r\nabc\r\n0a\r\n0123456789\r\n0\r\nT: x\r\n\r\n",
            .response(200, "abc0123456789", staysOpen: true)),
        Case("until the end", "HTTP/1.1 200 OK\r\n\r\nall of it", .response(200, "all of it", staysOpen: false)),
        Case("until the end, empty", "HTTP/1.1 200 OK\r\n\r\n", .response(200, "", staysOpen: false)),
        Case(
            "asks to close", "HTTP/1.1 200 OK\r\nConnection: x, CLOSE\r\nContent-Length: 1\r\n\r\na", .response(200, "a", staysOpen: false)),
        Case("HTTP/1.0 closes", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", .response(200, "a", staysOpen: false)),
        Case(
            "HTTP/1.0 that stays", "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\na",
            .response(200, "a", staysOpen: true)),
        Case("HEAD with a length", "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", .response(200, "", staysOpen: true), method: .HEAD),
        Case(
            "HEAD with chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", .response(200, "", staysOpen: true),
            method: .HEAD),
        Case("204", "HTTP/1.1 204 No Content\r\n\r\n", .response(204, "", staysOpen: true)),
        Case("204 with a length of nothing", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", .response(204, "", staysOpen: true)),
        Case(
            "304 with the length of what it did not send", "HTTP/1.1 304 X\r\nContent-Length: 9\r\n\r\n",
            .response(304, "", staysOpen: true)),
        Case(
            "interim responses",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 201 C\r\n"
                + "Content-Length: 2\r\n\r\nok", .response(201, "ok", staysOpen: true)),
        Case("bytes behind it", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab", .response(200, "a", staysOpen: false)),
        Case("204 that promises a body", "HTTP/1.1 204 X\r\nContent-Length: 3\r\n\r\nabc", .response(204, "", staysOpen: false)),
        Case("204 in chunks", "HTTP/1.1 204 X\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", .response(204, "", staysOpen: false)),
        Case("a body for HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", .response(200, "", staysOpen: false), method: .HEAD),
    ]

    static let hostile: [Case] = [
        Case("nothing", "", .truncated),
        Case("half a head", "HTTP/1.1 200 OK\r\nContent-Le", .truncated),
        Case("half a body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", .truncated),
        Case("chunks without their end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", .truncated),
        Case("last chunk without its trailer's end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", .truncated),
        Case("an interim response alone", "HTTP/1.1 100 Continue\r\n\r\n", .truncated),
        Case("another protocol's greeting", "SSH-2.0-OpenSSH_9.2\r\n", .malformed),
        Case("a TLS alert", "\u{15}\u{3}\u{1}\u{0}\u{2}\u{2}\u{46}", .malformed),
        Case("HTTP/2", "HTTP/2 200 OK\r\n\r\n", .malformed),
        Case("HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n", .malformed),
        Case("lower case", "http/1.1 200 OK\r\n\r\n", .malformed),
        Case("an empty line before", "\r\nHTTP/1.1 200 OK\r\n\r\n", .malformed),
        Case("status of two digits", "HTTP/1.1 20 OK\r\n\r\n", .malformed),
        Case("status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", .malformed),
        Case("status 600", "HTTP/1.1 600 X\r\n\r\n", .malformed),
        Case("status 099", "HTTP/1.1 099 X\r\n\r\n", .malformed),
        Case("signed status", "HTTP/1.1 +20 X\r\n\r\n", .malformed),
        Case("two spaces", "HTTP/1.1  200 OK\r\n\r\n", .malformed),
        Case("control character in the reason", "HTTP/1.1 200 O\u{7}K\r\n\r\n", .malformed),
        Case("NUL in a field", "HTTP/1.1 200 OK\r\nA: b\u{0}c\r\n\r\n", .malformed),
        Case("bare LF", "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n", .malformed),
        Case("bare LF at the end", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\n", .malformed),
        Case("bare CR in a field", "HTTP/1.1 200 OK\r\nA: b\rContent-Length: 5\r\n\r\n", .malformed),
        Case("folded field", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", .malformed),
        Case("space before the colon", "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello", .malformed),
        Case("no colon", "HTTP/1.1 200 OK\r\nNonsense\r\n\r\n", .malformed),
        Case("no name", "HTTP/1.1 200 OK\r\n: x\r\n\r\n", .malformed),
        Case(
            "length and chunks", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", .malformed),
        Case(
            "chunks and length, asked by HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", .malformed,
            method: .HEAD),
        Case("differing lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", .malformed),
        Case("the same length twice", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", .malformed),
        Case("a list of lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello", .malformed),
        Case("signed length", "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello", .malformed),
        Case("negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", .malformed),
        Case("empty length", "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", .malformed),
        Case("length beyond an Int", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", .malformed),
        Case("gzip, chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", .malformed),
        Case("identity", "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n", .malformed),
        Case("chunked twice", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", .malformed),
        Case("chunked with a vertical tab", "HTTP/1.1 200 OK\r\nTransfer-Encoding: \u{B}chunked\r\n\r\n", .malformed),
        Case("chunks on HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", .malformed),
        Case("chunk size that is none", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", .malformed),
        Case("chunk longer than said", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", .malformed),
        Case("chunk size with LF alone", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n", .malformed),
        Case("another protocol without being asked", "HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n", .malformed),
        Case(
            "interim responses without an end", String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 17), .malformed),
        Case("a field too long", "HTTP/1.1 200 OK\r\nA: \(String(repeating: "b", count: 600))\r\n\r\n", .tooLarge),
        Case("too many fields", "HTTP/1.1 200 OK\r\n\(String(repeating: "A: b\r\n", count: 21))\r\n", .tooLarge),
        Case(
            "a head too long", "HTTP/1.1 200 OK\r\n\(String(repeating: "A: 0123456789012345678901234567890123456789\r\n", count: 30))",
            .tooLarge),
        Case("a line without an end", "HTTP/1.1 200 \(String(repeating: "x", count: 1100))", .tooLarge),
    ]

    private static var limits: ClientLimits {
        var limits = ClientLimits()
        limits.headSize = 1024
        limits.fieldSize = 512
        limits.fieldCount = 20
        return limits
    }

    /// The end of the input makes no connection stay open, so it comes only where it is needed.
    private static func read(_ bytes: [UInt8], cutAt cut: Int, _ method: HTTPMethod) -> Reading {
        var state = ClientExchangeState(limits: limits)
        state.begin(method, isWhole: true)
        var status = 0
        var body: [UInt8] = []
        var pieces = [Array(bytes[..<cut]), Array(bytes[cut...])].filter { !$0.isEmpty }[...]
        while true {
            switch state.next() {
            case .proceed: break
            case .head(let head): status = Int(head.status.code)
            case .part(let part): body += Array(part.readableBytesView)
            case .needsMore:
                if let piece = pieces.popFirst() {
                    var buffer = ByteBuffer(bytes: piece)
                    _ = state.receive(&buffer)
                } else {
                    state.endInput()
                }
            case .end(let staysOpen):
                // A later piece comes for nobody, and closes the connection.
                return .response(status, String(decoding: body, as: UTF8.self), staysOpen: staysOpen && pieces.isEmpty)
            case .failed(.malformed): return .malformed
            case .failed(.tooLarge): return .tooLarge
            case .failed(.truncated): return .truncated
            }
        }
    }

    @Test("Responses are read the same, cut at every byte", arguments: good + hostile)
    func cutEverywhere(_ item: Case) {
        let bytes = Array(item.bytes.utf8)
        for cut in 0...bytes.count {
            #expect(Self.read(bytes, cutAt: cut, item.method) == item.reading, "cut at \(cut)")
        }
    }

    @Test(
        "Kept alive for as long as the server says",
        arguments: [("timeout=5", 5), ("max=7, TIMEOUT=12", 12), ("timeout=x", nil), ("timeout=", nil), ("5", nil)])
    func keepAliveTimeout(_ value: String, _ seconds: Int?) {
        var state = ClientExchangeState(limits: Self.limits)
        state.begin(.GET, isWhole: true)
        var bytes = ByteBuffer(string: "HTTP/1.1 204 X\r\nKeep-Alive: \(value)\r\n\r\n")
        let isAsked = state.receive(&bytes)
        #expect(isAsked)
        guard case .head(let head) = state.next() else {
            Issue.record("no head")
            return
        }
        #expect(head.keepAliveTimeout == seconds)
    }

    @Test(
        "Two heads are one where they say the same",
        arguments: [
            "HTTP/1.1 200 X\r\nA: c\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 201 X\r\nA: b\r\nContent-Length: 5\r\n\r\n",
            "HTTP/1.1 200 X\r\nA: b\r\nContent-Length: 6\r\n\r\n", "HTTP/1.0 200 X\r\nA: b\r\nContent-Length: 5\r\n\r\n",
            "HTTP/1.1 200 X\r\n\r\n",
        ])
    func equality(_ other: String) {
        func step(_ bytes: String) -> ClientExchangeState.Step {
            var state = ClientExchangeState(limits: Self.limits)
            state.begin(.GET, isWhole: true)
            var bytes = ByteBuffer(string: bytes)
            _ = state.receive(&bytes)
            return state.next()
        }
        let head = "HTTP/1.1 200 X\r\nA: b\r\nContent-Length: 5\r\n\r\n"
        #expect(step(head) == step(head))
        #expect(step(head) != step(other))
    }

    @Test("A response that comes before its request is whole ends the connection")
    func earlyResponse() {
        var state = ClientExchangeState(limits: Self.limits)
        state.begin(.POST, isWhole: false)
        var bytes = ByteBuffer(string: "HTTP/1.1 413 X\r\nContent-Length: 0\r\n\r\n")
        let isAsked = state.receive(&bytes)
        #expect(isAsked)
        guard case .head = state.next() else {
            Issue.record("no head")
            return
        }
        #expect(state.next() == .end(staysOpen: false))
        #expect(!state.isIdle)
    }

    @Test("Bytes that nobody asked for are told apart")
    func unasked() {
        var state = ClientExchangeState(limits: Self.limits)
        var bytes = ByteBuffer(string: "HTTP/1.1 408 X\r\n\r\n")
        let isAsked = state.receive(&bytes)
        #expect(!isAsked)
        #expect(state.isIdle)
        state.endInput()
        #expect(!state.isIdle)
    }

    @Test("One exchange after the other, each by its own method")
    func several() {
        var state = ClientExchangeState(limits: Self.limits)
        for (number, method) in [HTTPMethod.GET, .HEAD, .GET].enumerated() {
            #expect(state.isIdle)
            state.begin(method, isWhole: true)
            #expect(!state.hasResponseBegun)
            var bytes = ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + (method == .HEAD ? "" : "ok"))
            let isAsked = state.receive(&bytes)
            #expect(isAsked)
            #expect(state.hasResponseBegun)
            guard case .head = state.next() else {
                Issue.record("no head")
                return
            }
            if method != .HEAD { #expect(state.next() == .part(ByteBuffer(string: "ok"))) }
            #expect(state.next() == .end(staysOpen: true))
            #expect(state.count == number + 1)
        }
    }
}
