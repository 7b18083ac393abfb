/// What one client may cost. Sizes are in bytes.
package struct ServerLimits: Sendable {
    /// The request line and the header fields together; beyond it, 431.
    package var headSize = 32 << 10
    /// One header field, its name and line end included.
    package var fieldSize = 16 << 10
    package var fieldCount = 100
    /// From the first moment of a connection, or the first byte of a later request, to the end of the head; beyond it, 408.
    package var headTime: Duration = .seconds(10)
    /// Between two requests.
    package var keepAliveTime: Duration = .seconds(75)
    /// Between two parts of a body that is waited for; beyond it, 408.
    package var bodyIdleTime: Duration = .seconds(30)
    /// Bytes per second that a body must bring on average once ``bodyIdleTime`` has been spent waiting for it.
    package var bodyRate = 240
    /// How long a client may take nothing of a response that waits for it.
    package var writeIdleTime: Duration = .seconds(30)
    /// How much of a body that nobody read is taken in to keep the connection.
    package var drainSize = 64 << 10
    /// How long that may take, and how long a closing connection waits for the client to see the last response.
    package var drainTime: Duration = .seconds(2)
    /// How long connections on which nothing is asked are kept once the server stops: a request may be on its way to them already.
    package var stopTime: Duration = .seconds(1)
    /// After so many requests a connection is closed; `nil` for any number.
    package var requestsPerConnection: Int?
    package var connections = 10_000
    /// Of a TLS handshake, from the first moment of a connection; beyond it, the connection is closed.
    package var handshakeTime: Duration = .seconds(10)
    /// Connections in their TLS handshake; for one more, the oldest of the network that has the most is closed.
    package var handshakes = 1024
    /// Connections of one address (an IPv6 address counts with its /64); `nil` for any number.
    package var connectionsPerClient: Int?
    package var backlog = 1024

    package init() {}

    /// How often the deadlines of a loop's connections are looked at: the slack that every time limit has.
    var sweepInterval: Duration {
        let shortest = min(headTime, handshakeTime, keepAliveTime, bodyIdleTime, writeIdleTime, drainTime, stopTime)
        return max(.milliseconds(10), min(.milliseconds(250), shortest / 4))
    }
}
