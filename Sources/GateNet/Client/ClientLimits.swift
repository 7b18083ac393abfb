/// What a client takes from other servers, and takes of this machine. Sizes are in bytes; counts are per event loop.
package struct ClientLimits: Sendable {
    /// For the name, and again for all of its addresses together.
    package var connectTime: Duration = .seconds(10)
    /// For the TLS handshake; stands in place of what the TLS configuration says.
    package var handshakeTime: Duration = .seconds(10)
    /// How long one address may keep the next one waiting (RFC 8305 §5).
    package var attemptDelay: Duration = .milliseconds(250)
    /// How long a connection that nobody uses is kept; shorter where the server says so.
    package var idleTime: Duration = .seconds(30)
    package var connections = 512
    package var connectionsPerHost = 64
    /// Requests that may wait for a connection.
    package var waiting = 4096
    /// The status line and the header fields together.
    package var headSize = 64 << 10
    package var fieldSize = 32 << 10
    package var fieldCount = 200
    /// Interim responses (1xx) before the response.
    package var interimResponses = 16
    /// Threads that resolve names, for all event loops together.
    package var resolverThreads = 4
    /// Names that may wait for one of them.
    package var resolverWaiting = 1024

    package init() {}
}
