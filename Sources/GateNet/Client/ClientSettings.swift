import GateCore

/// What the event loops of a client share.
struct ClientSettings: Sendable {
    let limits: ClientLimits
    let resolver: any NameResolver
    /// `nil` for a client that speaks no TLS.
    let handshake: (any ClientHandshake)?
    let time: any TimeSource
}
