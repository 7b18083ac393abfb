package import GateCore
package import GateNet

/// How Redis is reached and what is asked of it.
package struct RedisSettings: Sendable {
    package enum Server: Hashable, Sendable {
        case one(StreamDialer.Place)
        /// The name of a primary that these sentinels watch.
        case watched(name: String, sentinels: [StreamDialer.Place])
    }

    package var server: Server
    /// An ACL user (Redis 6); without one the password is that of `default`.
    package var user: String?
    package var password: Secret?
    package var sentinelPassword: Secret?
    package var database = 0
    /// `nil`: plain text.
    package var tls: TLSClientConfiguration?
    /// For a command, from being sent to its reply.
    package var commandTime: Duration = .milliseconds(250)
    /// For the name and the addresses together, for the handshake of TLS, and for signing in: each.
    package var connectTime: Duration = .seconds(2)
    /// In front of every key and channel.
    package var prefix = "gatehouse:"

    package init(server: Server) { self.server = server }

    /// How long a connection may owe a reply and say nothing before it is given up.
    var silence: Duration { max(.seconds(1), commandTime * 4) }
}
