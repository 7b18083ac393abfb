package import GateHTTP
import NIOCore
package import NIOHTTP1

/// A request whose body may be on its way still: what a proxy passes on, see ``Endpoint/stream(_:)``. Handed on as one reference.
package final class StreamedRequest: Sendable {
    package let method: HTTPMethod
    /// Path and query, as they are sent.
    package let target: String
    /// What `Host` says; `nil` for that of the endpoint's URL.
    package let authority: String?
    /// Those that say how a connection carries the request are dropped, for the client sets them: `Host`, `Content-Length`,
    /// `Transfer-Encoding`, `Connection`, `Keep-Alive`, `Proxy-Connection`, `TE`, `Upgrade`, `Expect`. What a `Connection` field of the
    /// caller's own client named is the caller's to drop.
    package let headers: HTTPHeaders
    /// Further fields, in the form in which they are sent, none of them one of those.
    package let encodedFields: EncodedFields
    package let body: RequestBody
    /// How many bytes it has; `nil` for a stream that does not tell.
    let bodyLength: Int?
    /// Whether it goes out in one piece.
    let isWhole: Bool
    /// The protocol that is asked for with `Upgrade` (RFC 9110 §7.8), such as `websocket`. The server may answer as it likes; where it
    /// agrees, the response is ``StreamedResponse/Body/tunnel(_:)``. Without a body.
    package let upgrade: String?
    /// Whether a body that is a stream is announced (`Expect: 100-continue`) and not read before the server asks for it or has been silent for
    /// a second (RFC 9110 §10.1.1). Where it answers otherwise, the body stays unread.
    package let expectsContinue: Bool
    /// Whether to tell the server that trailers are welcome (`TE: trailers`).
    package let acceptsTrailers: Bool
    /// Whether the request may go out a second time, once, where a kept connection broke before a byte of the response came: for
    /// idempotent requests (RFC 9110 §9.2.2). Only where its body has not been begun. What a closed connection never took is always
    /// sent on another.
    package let mayResend: Bool
    /// From the last byte of the request to the head of the response.
    package let responseTime: Duration
    /// While something is waited for from the server: room for the next part of the request's body, the next part of the response's, and
    /// any byte of a tunnel in either direction. A slow source or reader on our side is not the server's fault and not limited here.
    package let idleTime: Duration

    package init(
        _ method: HTTPMethod, _ target: String, authority: String? = nil, headers: HTTPHeaders = [:],
        encodedFields: EncodedFields = EncodedFields(), body: RequestBody = .empty, upgrade: String? = nil, expectsContinue: Bool = false,
        acceptsTrailers: Bool = false, mayResend: Bool = false, responseTime: Duration = .seconds(60), idleTime: Duration = .seconds(60)
    ) {
        self.method = method
        self.target = target
        self.authority = authority
        self.headers = headers
        self.encodedFields = encodedFields
        self.body = body
        (bodyLength, isWhole) =
            switch body {
            case .empty: (0, true)
            case .bytes(let bytes): (bytes.readableBytes, true)
            case .stream(let length, _): (length, false)
            }
        self.upgrade = upgrade
        self.expectsContinue = expectsContinue
        self.acceptsTrailers = acceptsTrailers
        self.mayResend = mayResend
        self.responseTime = responseTime
        self.idleTime = idleTime
    }

    /// The same request for something else.
    package func aimed(at target: String) -> StreamedRequest {
        StreamedRequest(
            method, target, authority: authority, headers: headers, encodedFields: encodedFields, body: body, upgrade: upgrade,
            expectsContinue: expectsContinue, acceptsTrailers: acceptsTrailers, mayResend: mayResend, responseTime: responseTime,
            idleTime: idleTime)
    }
}
