import GateHTTP
import NIOHTTP1

/// What a connection sends: a request line, fields, and a body that may be on its way still.
struct ClientRequest {
    var method: HTTPMethod
    var target: String
    /// What `Host` says.
    var authority: String
    /// Without `Host`, `Content-Length`, `Transfer-Encoding`, `Connection` and `Keep-Alive`, which are dropped.
    var headers: HTTPHeaders
    var body: RequestBody

    /// Whether it may be sent a second time, although a server may have begun with it: it means to change nothing (RFC 9110 §9.2.1), and
    /// all of it is here still.
    var isRepeatable: Bool {
        switch method {
        case .GET, .HEAD, .OPTIONS, .TRACE: break
        default: return false
        }
        return isWhole
    }

    /// Whether it goes out in one piece.
    var isWhole: Bool {
        if case .stream = body { false } else { true }
    }
}
