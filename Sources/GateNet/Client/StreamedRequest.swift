package import GateHTTP
package import NIOHTTP1

/// A request whose body may be on its way still: what a proxy passes on, see ``Endpoint/stream(_:)``.
package struct StreamedRequest: Sendable {
    package var method: HTTPMethod
    /// Path and query, as they are sent.
    package var target: String
    /// What `Host` says; `nil` for that of the endpoint's URL.
    package var authority: String?
    /// Those that say how a connection carries the request are dropped, for the client sets them: `Host`, `Content-Length`,
    /// `Transfer-Encoding`, `Connection`, `Keep-Alive`, `Proxy-Connection`, `TE`, `Upgrade`, `Expect`. What a `Connection` field of the
    /// caller's own client named is the caller's to drop.
    package var headers: HTTPHeaders
    /// Further fields, in the form in which they are sent, none of them one of those.
    package var encodedFields = EncodedFields()
    package var body: RequestBody
    /// The protocol that is asked for with `Upgrade` (RFC 9110 §7.8), such as `websocket`. The server may answer as it likes; where it
    /// agrees, the response is ``StreamedResponse/Body/tunnel(_:)``. Without a body.
    package var upgrade: String?
    /// Whether a body that is a stream is announced (`Expect: 100-continue`) and not read before the server asks for it or has been silent for
    /// a second (RFC 9110 §10.1.1). Where it answers otherwise, the body stays unread.
    package var expectsContinue = false
    /// Whether to tell the server that trailers are welcome (`TE: trailers`).
    package var acceptsTrailers = false
    /// Whether the request may go out a second time, once, where a kept connection broke before a byte of the response came: for
    /// idempotent requests (RFC 9110 §9.2.2). Only where its body has not been begun. What a closed connection never took is always
    /// sent on another.
    package var mayResend = false
    /// From the last byte of the request to the head of the response.
    package var responseTime: Duration
    /// While something is waited for from the server: room for the next part of the request's body, the next part of the response's, and
    /// any byte of a tunnel in either direction. A slow source or reader on our side is not the server's fault and not limited here.
    package var idleTime: Duration

    package init(
        _ method: HTTPMethod, _ target: String, authority: String? = nil, headers: HTTPHeaders = [:], body: RequestBody = .empty,
        responseTime: Duration = .seconds(60), idleTime: Duration = .seconds(60)
    ) {
        self.method = method
        self.target = target
        self.authority = authority
        self.headers = headers
        self.body = body
        self.responseTime = responseTime
        self.idleTime = idleTime
    }
}
