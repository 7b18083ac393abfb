import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1
import Testing

@testable import GateNet

struct RefusedRequest: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: String
    var testDescription: String { name }

    /// Whole, with a body of chunks behind a proper head.
    static func chunks(_ name: String, _ body: String) -> RefusedRequest {
        RefusedRequest(name: name, bytes: "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
    }

    static func field(_ name: String, _ field: String, body: String = "") -> RefusedRequest {
        RefusedRequest(name: name, bytes: "POST / HTTP/1.1\r\nHost: a\r\n" + field + "\r\n\r\n" + body)
    }

    static func line(_ name: String, _ line: String) -> RefusedRequest {
        RefusedRequest(name: name, bytes: line + "\r\nHost: a\r\n\r\n")
    }

    static let all: [RefusedRequest] = [
        field("Transfer-Encoding and Content-Length", "Transfer-Encoding: chunked\r\nContent-Length: 5", body: "0\r\n\r\n"),
        field("Content-Length and Transfer-Encoding", "Content-Length: 5\r\nTransfer-Encoding: chunked", body: "0\r\n\r\n"),
        field("differing lengths", "Content-Length: 5\r\nContent-Length: 6", body: "hello!"),
        field("the same length twice", "Content-Length: 5\r\nContent-Length: 5", body: "hello"),
        field("a list of lengths", "Content-Length: 5, 5", body: "hello"),
        field("a signed length", "Content-Length: +5", body: "hello"),
        field("a negative length", "Content-Length: -5"),
        field("a hexadecimal length", "Content-Length: 0x5", body: "hello"),
        field("an empty length", "Content-Length:"),
        field("a length with a space in it", "Content-Length: 1 5", body: "hello"),
        field("a length beyond 64 bits", "Content-Length: 18446744073709551621", body: "hello"),
        field("another transfer coding", "Transfer-Encoding: gzip, chunked", body: "0\r\n\r\n"),
        field("identity", "Transfer-Encoding: identity"),
        field("chunked twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", body: "0\r\n\r\n"),
        field("chunked with a parameter", "Transfer-Encoding: chunked;q=1", body: "0\r\n\r\n"),
        field("chunked behind a vertical tab", "Transfer-Encoding: \u{0B}chunked", body: "0\r\n\r\n"),
        field("xchunked", "Transfer-Encoding: xchunked", body: "0\r\n\r\n"),
        RefusedRequest(
            name: "chunks on HTTP/1.0", bytes: "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        field("a folded field", "X: a\r\n b"),
        field("a field folded with a tab", "X: a\r\n\tb"),
        RefusedRequest(name: "a first field that is folded", bytes: "GET / HTTP/1.1\r\n Host: a\r\nHost: a\r\n\r\n"),
        RefusedRequest(name: "bare LF throughout", bytes: "GET / HTTP/1.1\nHost: a\n\n"),
        RefusedRequest(name: "bare LF after the request line", bytes: "GET / HTTP/1.1\nHost: a\r\n\r\n"),
        field("bare LF after a field", "X: a\nY: b"),
        RefusedRequest(name: "bare LF at the end of the head", bytes: "GET / HTTP/1.1\r\nHost: a\r\n\n"),
        field("bare CR in a value", "X: a\rY: b"),
        field("two CRs at a line's end", "X: a\r"),
        field("NUL in a value", "X: a\0b"),
        field("a control character in a value", "X: a\u{01}b"),
        field("DEL in a value", "X: a\u{7F}b"),
        field("NUL in a name", "X\0: a"),
        field("white space before the colon", "X : a"),
        field("a tab before the colon", "Content-Length\t: 5", body: "hello"),
        field("an empty name", ": a"),
        field("a name that is no token", "X(a): b"),
        field("a name beyond ASCII", "Xé: b"),
        field("no colon", "Content-Length"),
        line("a method that is no token", "GE(T / HTTP/1.1"),
        line("no method", " / HTTP/1.1"),
        line("two spaces before the target", "GET  / HTTP/1.1"),
        line("a tab for a space", "GET\t/ HTTP/1.1"),
        line("a space in the target", "GET /a b HTTP/1.1"),
        line("a control character in the target", "GET /a\u{01} HTTP/1.1"),
        line("a target beyond ASCII", "GET /é HTTP/1.1"),
        line("a fragment", "GET /a#b HTTP/1.1"),
        line("no target", "GET HTTP/1.1"),
        line("a relative target", "GET a HTTP/1.1"),
        line("authority form", "CONNECT a:443 HTTP/1.1"),
        line("an asterisk for GET", "GET * HTTP/1.1"),
        line("user information in the target", "GET http://user@a/ HTTP/1.1"),
        line("another scheme", "GET ftp://a/ HTTP/1.1"),
        line("no version", "GET /"),
        line("HTTP/2.0 in a request line", "GET / HTTP/2.0"),
        line("HTTP/1.2", "GET / HTTP/1.2"),
        line("a lower-case version", "GET / http/1.1"),
        line("white space behind the version", "GET / HTTP/1.1 "),
        RefusedRequest(name: "no Host", bytes: "GET / HTTP/1.1\r\nX: a\r\n\r\n"),
        field("two Hosts", "Host: a"),
        RefusedRequest(name: "an empty Host", bytes: "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
        RefusedRequest(name: "a Host with a path", bytes: "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
        RefusedRequest(name: "a Host with user information", bytes: "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
        RefusedRequest(name: "a TLS handshake", bytes: "\u{16}\u{03}\u{01}\u{02}\u{00}"),
        chunks("a size with junk", "5x\r\nhello\r\n0\r\n\r\n"),
        chunks("a size with white space", "5 \r\nhello\r\n0\r\n\r\n"),
        chunks("a size with a sign", "+5\r\nhello\r\n0\r\n\r\n"),
        chunks("a size with 0x", "0x5\r\nhello\r\n0\r\n\r\n"),
        chunks("no size", "\r\nhello\r\n0\r\n\r\n"),
        chunks("a size that overflows", "10000000000000005\r\nhello\r\n0\r\n\r\n"),
        chunks("a size line ended by LF", "5\nhello\r\n0\r\n\r\n"),
        chunks("a chunk longer than its size", "5\r\nhello!\r\n0\r\n\r\n"),
        chunks("a chunk ended by LF", "5\r\nhello\n0\r\n\r\n"),
        chunks("a chunk extension with LF", "5;a\nb\r\nhello\r\n0\r\n\r\n"),
        chunks("an overlong chunk extension", "5;" + String(repeating: "a", count: 20_000) + "\r\nhello\r\n0\r\n\r\n"),
        chunks("a folded trailer", "0\r\n a: b\r\n\r\n"),
        chunks("a trailer without a colon", "0\r\nabc\r\n\r\n"),
        chunks("a trailer with NUL", "0\r\na: \0\r\n\r\n"),
        chunks("endless trailers", "0\r\n" + String(repeating: "a: b\r\n", count: 4000) + "\r\n"),
        chunks("a body ended by LF", "0\r\n\n"),
    ]
}

@Suite("Requests with two readings")
struct SmugglingTests {
    @Test("CHECKLIST 33: answered with 400 and a closed connection", arguments: RefusedRequest.all)
    func refused(_ request: RefusedRequest) async throws {
        try await TestServer.run { request in
            .later {
                guard request.target.path == "/" else { return .text(.ok, "smuggled") }
                _ = try? await request.body.collect(upTo: 1 << 20)
                return .text(.ok, "read")
            }
        } _: { server in
            let answer = try await server.exchange(request.bytes + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 400 Bad Request\r\n"), "\(answer)")
            #expect(answer.contains("\r\nConnection: close\r\n"))
            #expect(answer.contains("\r\ncontent-type: application/problem+json\r\n"))
            #expect(answer.contains(#""code":"request/malformed""#))
            #expect(!answer.contains("smuggled"))
            #expect(answer.split(separator: "HTTP/1.1 4").count == 1, "There is exactly one answer.")
            #expect(server.observer.all.map(\.status) == [.badRequest])
        }
    }

    @Test("CHECKLIST 33: the reading does not depend on where packets end", arguments: RefusedRequest.all)
    func refusedByteByByte(_ request: RefusedRequest) throws {
        var reader = RequestReader(limits: ServerLimits())
        #expect(throws: RequestFault.self) {
            for byte in Array(request.bytes.utf8) + Array("GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n".utf8) {
                var bytes = ByteBuffer(bytes: [byte])
                reader.append(&bytes)
                if reader.isBodyComplete, try reader.nextHead() == nil { continue }
                while case .part = try reader.nextBodyPart() {}
            }
        }
    }

    @Test("A response field with a line break is never sent", arguments: ["a\r\nSet-Cookie: b=c", "a\nb", "a\rb", "a\0b"])
    func responseInjection(_ value: String) async throws {
        try await TestServer.run(answer: { _ in .now(Response(.ok, headers: ["x": value], body: .bytes(ByteBuffer(string: "secret")))) }) {
            let answer = try await $0.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 500 "))
            #expect(!answer.contains("Set-Cookie") && !answer.contains("secret"))
        }
    }
}
