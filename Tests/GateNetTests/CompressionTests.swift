import CZlib
import GateHTTP
import NIOCore
import NIOHTTP1
import Testing

@testable import GateNet

@Suite("Compression")
struct CompressionTests {
    private static let text = String(repeating: "All work and no play makes Jack a dull boy. ", count: 100)

    private static func response(_ path: Substring) -> Response {
        let body = ResponseBody.bytes(ByteBuffer(string: text))
        let type: HTTPHeaders = ["content-type": "text/plain"]
        return switch path {
        case "/small": .text(.ok, "short")
        case "/image": Response(.ok, headers: ["content-type": "image/png"], body: body)
        case "/coded": Response(.ok, headers: ["content-type": "text/plain", "content-encoding": "br"], body: body)
        case "/partial": Response(.partialContent, headers: type, body: body)
        case "/stream":
            Response(
                .ok, headers: type,
                body: .stream(length: nil) { writer in
                    for _ in 0..<100 { try await writer.write(ByteBuffer(string: "All work and no play makes Jack a dull boy. ")) }
                })
        case "/large": Response(.ok, headers: type, body: .bytes(ByteBuffer(string: String(repeating: text, count: 50))))
        default: Response(.ok, headers: ["content-type": "text/plain", "etag": "\"a\""], body: body)
        }
    }

    @Test(
        "What is worth it is compressed, the rest is not", arguments: ["/", "/small", "/image", "/coded", "/partial", "/stream", "/large"])
    func responses(_ path: String) async throws {
        try await TestServer.run(answer: { .now(Self.response($0.target.path)) }) { server in
            let client = try await server.connect()
            try await client.send("GET \(path) HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n")
            let answer = try await client.readBytesToEnd()
            let end = try #require(answer.firstRange(of: Array("\r\n\r\n".utf8)))
            let head = String(decoding: answer[..<end.upperBound], as: UTF8.self)
            let isCompressed = ["/", "/stream", "/large"].contains(path)
            #expect(head.contains("content-encoding: gzip") == isCompressed)
            #expect(head.contains("vary: Accept-Encoding") == isCompressed)
            guard isCompressed else { return }
            var body = Array(answer[end.upperBound...])
            if head.contains("Transfer-Encoding: chunked") { body = try dechunk(body) }
            let expected = path == "/large" ? String(repeating: Self.text, count: 50) : Self.text
            #expect(try gunzip(body) == Array(expected.utf8))
            if path == "/" { #expect(head.contains("etag: W/\"a\"") && head.contains("Content-Length: \(body.count)\r\n")) }
        }
    }

    @Test("Who does not accept it gets the plain text, and a cache learns of the difference")
    func plain() async throws {
        try await TestServer.run(answer: { .now(Self.response($0.target.path)) }) { server in
            let answer = try await server.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(answer.hasSuffix(Self.text) && answer.contains("vary: Accept-Encoding") && answer.contains("etag: \"a\""))
        }
        try await TestServer.run(.with { $0.compresses = false }, answer: { .now(Self.response($0.target.path)) }) { server in
            let answer = try await server.exchange("GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n")
            #expect(answer.hasSuffix(Self.text))
        }
    }

    @Test("A compressed stream can be read part by part")
    func flushed() async throws {
        let gate = Gate()
        try await TestServer.run { _ in
            .now(
                Response(
                    .ok, headers: ["content-type": "text/plain"],
                    body: .stream(length: nil) { writer in
                        try await writer.write(ByteBuffer(string: "first"))
                        await gate.wait()
                        try await writer.write(ByteBuffer(string: "second"))
                    }))
        } _: { server in
            let client = try await server.connect()
            try await client.send("GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n")
            // The first chunk comes, sync marker and all, while the second has not been written.
            let first = try await client.readBytes { $0.firstRange(of: [0x00, 0x00, 0xFF, 0xFF]) != nil }
            #expect(first.firstRange(of: Array("\r\n\r\n".utf8)) != nil)
            gate.open()
            let rest = try await client.readBytesToEnd()
            #expect(rest.suffix(5) == Array("0\r\n\r\n".utf8)[...])
        }
    }

    private func dechunk(_ bytes: [UInt8]) throws -> [UInt8] {
        var decoder = ChunkedBodyDecoder()
        var buffer = ByteBuffer(bytes: bytes)
        var whole: [UInt8] = []
        while case .part(let part) = try decoder.next(&buffer) { whole += Array(buffer: part) }
        return whole
    }

    private func gunzip(_ bytes: [UInt8]) throws -> [UInt8] {
        var input = bytes
        var output = [UInt8](repeating: 0, count: 1 << 20)
        var state = z_stream()
        try #require(inflateInit2_(&state, 15 + 16, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size)) == Z_OK)
        defer { inflateEnd(&state) }
        let code = input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                state.next_in = input.baseAddress
                state.avail_in = UInt32(input.count)
                state.next_out = output.baseAddress
                state.avail_out = UInt32(output.count)
                return inflate(&state, Z_FINISH)
            }
        }
        #expect(code == Z_STREAM_END)
        return Array(output.prefix(Int(state.total_out)))
    }
}
