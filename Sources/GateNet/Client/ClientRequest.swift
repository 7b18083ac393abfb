import GateHTTP
import NIOHTTP1

/// What a connection sends: a request line, fields, and a body that may be on its way still.
struct ClientRequest {
    var method: HTTPMethod
    var target: String
    /// What `Host` says.
    var authority: String
    /// Those that only the client knows are dropped, see ``RequestHeadEncoder``.
    var headers: HTTPHeaders
    var encodedFields = EncodedFields()
    var body: RequestBody
    var upgrade: String?
    var expectsContinue = false
    var acceptsTrailers = false
    /// Whether it may be sent a second time, although a server may have begun with it.
    var mayResend: Bool

    /// Whether a request with that method means to change nothing (RFC 9110 §9.2.1).
    static func isSafe(_ method: HTTPMethod) -> Bool {
        switch method {
        case .GET, .HEAD, .OPTIONS, .TRACE: true
        default: false
        }
    }

    /// Whether it goes out in one piece.
    var isWhole: Bool {
        if case .stream = body { false } else { true }
    }
}
