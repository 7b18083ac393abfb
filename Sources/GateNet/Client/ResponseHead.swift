import GateCore
import GateHTTP
import NIOHTTP1

/// The head of one response, its framing decided. Handed on as one reference.
final class ResponseHead: Equatable, Sendable {
    let status: HTTPResponseStatus
    let fields: FieldSection
    let framing: Framing
    /// What `Content-Length` says, whether or not a body comes.
    let contentLength: Int?
    /// The options of `Connection`, where there are others than `close`, `keep-alive` and `upgrade`.
    let connectionOptions: String?
    /// Whether the server will take another request on this connection (RFC 9112 §9.3).
    let keepsAlive: Bool
    /// How long it says it will wait for that (`Keep-Alive: timeout=5`), in seconds.
    let keepAliveTimeout: Int?

    enum Framing: Hashable, Sendable {
        case none
        case length(Int)
        case chunked
        /// To the end of the connection.
        case untilClose
        /// Another protocol, in both directions.
        case tunnel
    }

    init(
        status: HTTPResponseStatus, fields: FieldSection, framing: Framing, contentLength: Int?, connectionOptions: String?,
        keepsAlive: Bool, keepAliveTimeout: Int?
    ) {
        self.status = status
        self.fields = fields
        self.framing = framing
        self.contentLength = contentLength
        self.connectionOptions = connectionOptions
        self.keepsAlive = keepsAlive
        self.keepAliveTimeout = keepAliveTimeout
    }

    static func == (left: ResponseHead, right: ResponseHead) -> Bool {
        left.status == right.status && left.fields == right.fields && left.framing == right.framing
            && left.contentLength == right.contentLength && left.connectionOptions == right.connectionOptions
            && left.keepsAlive == right.keepsAlive && left.keepAliveTimeout == right.keepAliveTimeout
    }
}
