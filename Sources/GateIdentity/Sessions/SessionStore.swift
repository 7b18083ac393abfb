package import GateCore
package import GateCrypto

/// Where sessions are kept.
///
/// Every method throws `StorageError` and nothing else. Each is atomic, and what changes something returns when the change is durable.
/// A session is alive while it is not ended, not expired at the `now` given, and its user is neither disabled nor deleted.
package protocol SessionStore: Sendable {
    /// - Parameter hash: where given, what the user's password must still be: one that was changed while it was checked opens
    ///   nothing, or the session would outlive the change that ended all others (CHECKLIST 6).
    /// - Returns: `false` where there is no such user, the user is disabled, or the password is another.
    func insert(_ session: Session, whilePassword hash: PasswordHash?) async throws -> Bool

    /// The live session of that id.
    func find(_ id: Session.ID, at now: Timestamp) async throws -> Session?

    /// The live sessions of a user, the last used first.
    func list(user: User.ID, at now: Timestamp) async throws -> [Session]

    /// Notes that the session was used.
    func touch(_ id: Session.ID, at now: Timestamp) async throws

    /// Exchanges a refresh token for its successor, once (RFC 9700 §4.14.2): what ``RefreshFamily/use(_:)`` decides is stored.
    func rotate(_ rotation: RefreshRotation) async throws -> RotationOutcome

    /// Notes that a live session is given another access token, until `accessExpiresAt` or the session's end. Nothing is rotated.
    /// - Returns: the session; `nil` where it is not alive.
    func extendAccess(_ id: Session.ID, until accessExpiresAt: Timestamp, at now: Timestamp) async throws -> Session?

    /// Ends the sessions selected, and records a revocation of each in the same transaction. Those that have expired are ended
    /// too: the clock that says so may be set back.
    /// - Returns: those ended, in no order.
    func end(_ selection: SessionSelection) async throws -> [EndedSession]

    /// Deletes sessions that expired before `now`, `limit` at most.
    /// - Returns: how many were deleted.
    func prune(before now: Timestamp, limit: Int) async throws -> Int
}

package enum SessionSelection: Hashable, Sendable {
    case one(Session.ID)
    /// One, if it belongs to the user.
    case own(Session.ID, of: User.ID)
    case all(of: User.ID)
    case others(than: Session.ID, of: User.ID)
}

/// The use of a refresh token.
///
/// The refresh tokens of a session are a family, numbered by generation: only the newest has a right to be used. An older one that
/// appears again was stolen, or its thief was faster, unless its first use was a moment ago: then the client asked twice.
package struct RefreshRotation: Sendable {
    package var session: Session.ID
    /// Of the token presented.
    package var generation: Int64
    package var device: Device
    package var now: Timestamp
    /// How long after its first use a token may be presented again, for the same successor; a clock set back by up to as much does
    /// no harm.
    package var grace: Duration
    /// The lifetime of the access token that goes with the successor; its end is kept as the session's `accessExpiresAt`, but never
    /// beyond the session's own, and never before that of an earlier token.
    package var accessLifetime: Duration

    package init(
        session: Session.ID, generation: Int64, device: Device, now: Timestamp, grace: Duration, accessLifetime: Duration
    ) {
        self.session = session
        self.generation = generation
        self.device = device
        self.now = now
        self.grace = grace
        self.accessLifetime = accessLifetime
    }
}
