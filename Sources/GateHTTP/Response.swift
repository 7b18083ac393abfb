package import NIOCore
package import NIOHTTP1

/// One response, before the connection gives it a frame.
///
/// `Content-Length`, `Transfer-Encoding`, `Connection` and `Date` are the connection's to set.
package struct Response: Sendable {
    package var status: HTTPResponseStatus
    package var headers: HTTPHeaders
    /// Further fields, encoded already.
    package var encodedFields: EncodedFields
    package var body: ResponseBody

    package init(
        _ status: HTTPResponseStatus, headers: HTTPHeaders = [:], encodedFields: EncodedFields = EncodedFields(),
        body: ResponseBody = .empty
    ) {
        self.status = status
        self.headers = headers
        self.encodedFields = encodedFields
        self.body = body
    }

    package static func json(_ status: HTTPResponseStatus = .ok, _ bytes: [UInt8]) -> Response {
        Response(status, headers: ["content-type": "application/json"], body: .bytes(ByteBuffer(bytes: bytes)))
    }

    package static func text(_ status: HTTPResponseStatus = .ok, _ text: String) -> Response {
        Response(status, headers: ["content-type": "text/plain; charset=utf-8"], body: .bytes(ByteBuffer(string: text)))
    }
}

package enum ResponseBody: Sendable {
    case empty
    case bytes(ByteBuffer)
    /// Sent from the file; over plain HTTP/1.1 without passing through the process.
    case file(FileBody)
    /// Written as it is made. `length` becomes `Content-Length`; without it the body is sent in chunks.
    case stream(length: Int?, @Sendable (any BodyWriter) async throws -> Void)
    /// Agrees to ``Request/upgrade``; with the status 101 and the fields that the protocol wants in its answer. The connection adds
    /// `Connection` and, where it is missing, `Upgrade`; on HTTP/2 it answers 200 without them and `Sec-WebSocket-Accept`
    /// (RFC 8441 §5). The task is cancelled when the client breaks the connection off, and when the server stops.
    case tunnel(@Sendable (any Tunnel) async -> Void)
}

/// The way out of a streamed body.
package protocol BodyWriter: Sendable {
    /// Returns when the connection can take more: a slow reader slows its writer.
    /// - Throws: `BodyError.disconnected`, `BodyError.timedOut`.
    func write(_ part: ByteBuffer) async throws(BodyError)

    /// Sends `fields` behind the body (RFC 9110 §6.5), once its producer returns; to be called after the last ``write(_:)``. Those that no
    /// trailer may hold are dropped; and all are, where the body has a length on HTTP/1.1 or the client speaks HTTP/1.0.
    func trailers(_ fields: HTTPHeaders) async
}
