package import NIOCore
package import NIOHTTP1

/// The content of a request: read at most once, as it arrives.
package enum RequestBody: Sendable {
    case empty
    case bytes(ByteBuffer)
    /// `length` is what `Content-Length` promises, `nil` with chunks or on HTTP/2 without it.
    case stream(length: Int?, any BodyStream)

    /// The whole body.
    ///
    /// - Throws: `BodyError`; `.tooLarge` without reading on, where more than `limit` bytes are promised or come.
    package func collect(upTo limit: Int) async throws(BodyError) -> ByteBuffer {
        switch self {
        case .empty: return ByteBuffer()
        case .bytes(let bytes):
            guard bytes.readableBytes <= limit else { throw .tooLarge(limit: limit) }
            return bytes
        case .stream(let length, let stream):
            if let length, length > limit { throw .tooLarge(limit: limit) }
            guard var whole = try await stream.next() else { return ByteBuffer() }
            while whole.readableBytes <= limit {
                guard let part = try await stream.next() else { return whole }
                whole.writeImmutableBuffer(part)
            }
            throw .tooLarge(limit: limit)
        }
    }
}

/// A body on its way. The connection reads no further than what is asked for: that is the back-pressure.
package protocol BodyStream: Sendable {
    /// The next part, never empty; `nil` after the last. Called by one task at a time.
    func next() async throws(BodyError) -> ByteBuffer?

    /// The fields behind the body (RFC 9110 §6.5), once ``next()`` has given `nil`. Those that no trailer may hold are dropped; others
    /// come as they were sent, so whoever passes them on looks at their names as at those of the head.
    var trailers: HTTPHeaders { get async }
}

extension BodyStream {
    /// None: most bodies have no end of their own.
    package var trailers: HTTPHeaders { get async { [:] } }
}

package enum BodyError: Error, Hashable, Sendable {
    /// More than `limit` bytes.
    case tooLarge(limit: Int)
    /// The client closed the connection, or reset the stream, before the end.
    case disconnected
    /// Nothing came for too long.
    case timedOut
    /// The framing is broken: a chunk header that is none, say.
    case malformed
}
