import GateHTTP
import NIOHTTP1

/// Why a connection refuses what it was sent. Each is answered with a problem document, and the connection closes.
enum RequestFault: Error, Hashable {
    /// Not HTTP/1.1 as RFC 9112 has it, or with two readings. The text is for the client's developer.
    case malformed(String)
    case headersTooLarge(String)
    /// The head, or the body, did not come in time.
    case timedOut(String)
    case overloaded(String)

    var problem: Problem {
        switch self {
        case .malformed(let detail): Problem(.malformed, detail)
        case .headersTooLarge(let detail): Problem(.headersTooLarge, detail)
        case .timedOut(let detail): Problem(.timedOut, detail)
        case .overloaded(let detail): Problem(.unavailable, detail, headers: ["retry-after": "1"])
        }
    }
}
