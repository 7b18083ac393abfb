import GateHTTP
import NIOCore
import NIOHTTP1
import Testing

@testable import GateNet

@Suite("The outgoing client: fields behind bodies", .timeLimit(.minutes(1)))
struct ClientTrailerTests {
    /// A body with fields behind it.
    private struct Trailed: BodyStream {
        let parts: Parts
        let fields: HTTPHeaders

        func next() async throws(BodyError) -> ByteBuffer? { try await parts.next() }
        var trailers: HTTPHeaders { get async { fields } }
    }

    private static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

    @Test("Those of a request are sent behind its last chunk; what no trailer may hold is not, nor any where the length was said")
    func request() async throws {
        let fields: HTTPHeaders = ["x-checksum": "abc", "content-length": "9", "x-bad": "a\r\nb", "host": "evil", "x-last": "1"]
        try await ScriptedServer.run([
            .await("0\r\n"), .await("\r\n\r\n"), .send(Self.ok), .await("\r\n\r\nbody"), .send(Self.ok), .awaitEnd,
        ]) {
            server in
            try await HTTPClient.run { client in
                let endpoint = client.to(server.port)
                for length in [nil, 4] {
                    let body = Trailed(parts: Parts(["body"]), fields: fields)
                    let response = try await endpoint.stream(StreamedRequest(.POST, "/", body: .stream(length: length, body)))
                    #expect(response.status == .ok)
                }
            }
            let asked = server.received[0]
            #expect(asked.contains("4\r\nbody\r\n0\r\nx-checksum: abc\r\nx-last: 1\r\n\r\nPOST"))
            #expect(asked.hasSuffix("\r\n\r\nbody"))
        }
    }

    @Test("Those of a response are there after its end, come it at once or in pieces", arguments: [true, false])
    func response(_ isAtOnce: Bool) async throws {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n"
        let end = "0\r\nX-Checksum:  abc \r\nContent-Length: 5\r\nX-Last: 1\r\n\r\n"
        let script: [ScriptedServer.Step] = isAtOnce ? [.send(head + end)] : [.send(head), .await("more"), .send(end)]
        try await ScriptedServer.run([.await("\r\n\r\n")] + script + [.awaitEnd]) { server in
            try await HTTPClient.run { client in
                let parts = GivenParts()
                let body: RequestBody = isAtOnce ? .empty : .stream(length: nil, parts)
                let response = try await client.to(server.port).stream(StreamedRequest(.POST, "/", body: body))
                guard case .stream(nil, let stream) = response.body else {
                    Issue.record("\(response.body)")
                    return
                }
                #expect(try await stream.next() == ByteBuffer(string: "body"))
                parts.give("more")
                parts.finish()
                #expect(try await stream.next() == nil)
                #expect(await stream.trailers == ["X-Checksum": "abc", "X-Last": "1"])
            }
        }
    }
}
