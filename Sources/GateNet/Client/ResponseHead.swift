import GateCore
import GateHTTP
import NIOHTTP1

/// The head of one response, its framing decided.
struct ResponseHead: Equatable, Sendable {
    var status: HTTPResponseStatus
    /// HTTP/1.0 where false, HTTP/1.1 where true: there are no others.
    var isHTTP11: Bool
    var fields: FieldSection
    var framing: Framing
    /// What `Content-Length` says, whether or not a body comes.
    var contentLength: Int?
    /// The options of `Connection`, where there are others than `close`, `keep-alive` and `upgrade`.
    var connectionOptions: String?
    /// Whether the server will take another request on this connection (RFC 9112 §9.3).
    var keepsAlive: Bool
    /// How long it says it will wait for that (`Keep-Alive: timeout=5`), in seconds.
    var keepAliveTimeout: Int?

    enum Framing: Hashable, Sendable {
        case none
        case length(Int)
        case chunked
        /// To the end of the connection.
        case untilClose
        /// Another protocol, in both directions.
        case tunnel
    }

    var isWithoutBody: Bool { framing == .none || framing == .length(0) }
}
