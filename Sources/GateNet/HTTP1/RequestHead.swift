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
    /// False where no field says that a proxy has passed it on: there is nothing to look for then. True where that was not looked at.
    var mayBeForwarded: Bool

    var isHTTP11: Bool { version != .http10 }

    init(
        method: HTTPMethod, target: Target, version: Request.Version, headers: HTTPHeaders, authority: String, framing: Framing,
        keepsAlive: Bool, expectsContinue: Bool, upgrade: String?, mayBeForwarded: Bool = true
    ) {
        self.method = method
        self.target = target
        self.version = version
        self.headers = headers
        self.authority = authority
        self.framing = framing
        self.keepsAlive = keepsAlive
        self.expectsContinue = expectsContinue
        self.upgrade = upgrade
        self.mayBeForwarded = mayBeForwarded
    }

    init(_ line: RequestLine, _ fields: RequestFields) throws(RequestFault) {
        let isHTTP11 = line.version != .http10
        guard fields.host != nil || !isHTTP11 else { throw .malformed("The Host field is missing.") }
        // RFC 9112 §6.1: with both, an attempt at smuggling must be assumed; on HTTP/1.0 chunks don't exist.
        guard !fields.isChunked || fields.contentLength == nil else {
            throw .malformed("There are both Transfer-Encoding and Content-Length.")
        }
        guard !fields.isChunked || isHTTP11 else { throw .malformed("HTTP/1.0 has no Transfer-Encoding.") }
        var authority = fields.host ?? ""
        let target = try line.parsedTarget(authority: &authority)
        var headers = fields.headers
        if authority != fields.host ?? "" {
            // RFC 9112 §3.2.2: the absolute form wins, and what is passed on must say so too.
            headers.remove(name: "host")
            headers.add(name: "Host", value: authority)
        }
        let framing: Framing =
            if fields.isChunked { .chunked } else if let length = fields.contentLength, length > 0 { .length(length) } else { .none }
        self.init(
            method: line.method, target: target, version: line.version, headers: headers, authority: authority, framing: framing,
            keepsAlive: !fields.wantsClose && (isHTTP11 || fields.wantsKeepAlive),
            expectsContinue: fields.expectsContinue && isHTTP11,
            // RFC 9110 §7.8: not from HTTP/1.0, and after the whole body only. A request that asks for one and has a body goes without.
            upgrade: fields.wantsUpgrade && isHTTP11 && framing == .none ? fields.upgrade : nil, mayBeForwarded: fields.mayBeForwarded)
    }

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
