import GateHTTP
import NIOHTTP1

/// The head of one request, its framing decided.
struct RequestHead {
    var method: HTTPMethod
    var target: Target
    var version: Request.Version
    var headers: HTTPHeaders
    /// Lower case; empty on HTTP/1.0 without `Host`.
    var authority: String
    var framing: Framing
    /// Whether the client wants the connection to stay (RFC 9112 §9.3).
    var keepsAlive: Bool
    /// `Expect: 100-continue` (RFC 9110 §10.1.1).
    var expectsContinue: Bool
    /// As in ``Request/upgrade``.
    var upgrade: String?

    var isHTTP11: Bool { version != .http10 }

    enum Target {
        case origin(RequestTarget)
        /// `OPTIONS *`: about the server as a whole (RFC 9110 §9.3.7).
        case asterisk
    }

    enum Framing: Hashable {
        case none
        case length(Int)
        case chunked
    }
}
