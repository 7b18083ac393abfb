package import GateCore
package import GateHTTP

/// What an order asks the authority: all of them signed POSTs.
package enum OrderRequest: Hashable, Sendable {
    /// RFC 8555 §7.4.
    case newOrder(payload: JSON)
    /// POST-as-GET (RFC 8555 §6.3) of an order or an authorization.
    case read(HTTPURL)
    /// That a challenge is ready to be looked at (RFC 8555 §7.5.1).
    case respond(HTTPURL)
    /// With the certificate request for the saved key (RFC 8555 §7.4).
    case finalize(HTTPURL)
    /// POST-as-GET of a chain (RFC 8555 §7.4.2).
    case download(HTTPURL)
    /// Of an authorization that is given up (RFC 8555 §7.5.2).
    case deactivate(HTTPURL)
}

/// A challenge that is to be presented before the authority is told.
package struct PendingChallenge: Hashable, Sendable {
    package let name: String
    package let kind: ChallengeKind
    package let token: String
}

/// Both clocks, read once for one event.
package struct Moment: Sendable {
    /// For what is told to people and other processes.
    package let wall: Timestamp
    /// For waiting.
    package let monotonic: MonotonicInstant

    package init(wall: Timestamp, monotonic: MonotonicInstant) {
        self.wall = wall
        self.monotonic = monotonic
    }

    package init(_ time: any TimeSource) { self.init(wall: time.now(), monotonic: time.monotonic()) }
}
