package import GateHTTP
package import NIOCore

/// What a connection speaks, as ALPN names it (RFC 7301, RFC 9113 §3.1).
package enum ApplicationProtocol: String, Sendable {
    case http1 = "http/1.1"
    case http2 = "h2"
}

/// What stands between a listener's sockets and HTTP: TLS, and the choice of a protocol by ALPN. None for plain HTTP/1.1.
package protocol ConnectionDecorator: Sendable {
    /// What requests of these connections say of how they came.
    var scheme: Request.Scheme { get }

    /// Called on the event loop of a new connection, the one with that number of the server's, before it is active. Adds its handlers and calls `serve`, there or later on
    /// the same event loop, which adds the HTTP connection behind them. The channel is closed where this throws.
    ///
    /// The channel does not read by itself (`autoRead` is off), and may be half closed: a decorator asks for the bytes that it needs,
    /// and passes `read` on. It is counted from the beginning, and closed where `serve` was not called in time
    /// (``ServerLimits/handshakeTime``) or too many others wait for it too (``ServerLimits/handshakes``).
    func decorate(_ channel: any Channel, onLoop number: Int, serve: @escaping @Sendable (ApplicationProtocol) throws -> Void) throws
}

/// One address to listen on, and what its connections pass through.
package struct Listener: Sendable {
    package var address: ListenerAddress
    package var decorator: (any ConnectionDecorator)?

    package init(_ address: ListenerAddress, decorator: (any ConnectionDecorator)? = nil) {
        self.address = address
        self.decorator = decorator
    }
}
