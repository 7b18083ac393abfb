package import GateHTTP
package import NIOCore

/// What stands between a listener's sockets and HTTP: TLS, and the choice of a protocol by ALPN. None for plain HTTP/1.1.
package protocol ConnectionDecorator: Sendable {
    /// What requests of these connections say of how they came.
    var scheme: Request.Scheme { get }

    /// Called on the event loop of a new connection, before it is active. Adds its handlers and calls `serveHTTP1`, there or later on
    /// the same event loop, which adds the HTTP/1.1 connection behind them. The channel is closed where this fails.
    ///
    /// The channel does not read by itself (`autoRead` is off), and may be half closed: a decorator asks for the bytes that it needs,
    /// passes `read` on, and sets its own limit to the time before `serveHTTP1`: a connection is counted and timed from there.
    func decorate(_ channel: any Channel, serveHTTP1: @escaping @Sendable () throws -> Void) -> EventLoopFuture<Void>
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
