import GateCore

/// What the event loops of a client share.
struct ClientSettings: Sendable {
    let limits: ClientLimits
    let resolver: any NameResolver
    /// `nil` for a client that speaks no TLS.
    let tls: TLSClientConfiguration?
    let time: any TimeSource

    init(limits: ClientLimits, resolver: any NameResolver, tls: TLSClientConfiguration?, time: any TimeSource) {
        self.limits = limits
        self.resolver = resolver
        self.time = time
        var tls = tls
        tls?.handshakeTime = limits.handshakeTime
        self.tls = tls
    }
}
