package import GateCore

/// Where sessions and their refresh tokens are kept.
///
/// The refresh tokens of a session are a family: each was made from the one before it. Every method throws `StorageError` and
/// nothing else. Each is atomic, and what changes something returns when the change is durable. A session is alive while it is not
/// ended, not expired at the `now` given, and its user is not disabled.
package protocol SessionStore: Sendable {
    /// - Returns: `false` where there is no such user, or the user is disabled.
    func insert(_ session: NewSession) async throws -> Bool

    /// The live session whose cookie token has that hash.
    func find(cookieHash: TokenHash, at now: Timestamp) async throws -> Session?

    /// The live session of that id.
    func find(_ id: Session.ID, at now: Timestamp) async throws -> Session?

    /// The live sessions of a user, the last used first.
    func list(user: User.ID, at now: Timestamp) async throws -> [Session]

    /// Notes that the session was used.
    func touch(_ id: Session.ID, at now: Timestamp) async throws

    /// Exchanges a refresh token for its successor, once (RFC 9700 §4.14.2).
    func rotate(_ rotation: RefreshRotation) async throws -> RotationOutcome

    /// Gives a live session known by its cookie a new first refresh token beside the family's others, in place of the one that was
    /// given to its cookie before.
    /// - Returns: the session and its user's profile; `nil` where it is not alive.
    func reissue(_ id: Session.ID, refreshHash: TokenHash, accessExpiresAt: Timestamp, at now: Timestamp) async throws -> RotatedSession?

    /// Ends the live sessions selected, and remembers each until its last access token expires.
    func end(_ selection: SessionSelection, at now: Timestamp) async throws -> [EndedSession]

    /// Deletes what expired before `now`, `limit` sessions at most.
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

package struct RefreshRotation: Sendable {
    package var presented: TokenHash
    package var successor: TokenHash
    package var now: Timestamp
    /// How long after its first use a token may be presented again, for the same successor.
    package var grace: Duration
    /// The lifetime of the access token that goes with the successor; its end is kept as the session's `accessExpiresAt`, but never
    /// beyond the session's own.
    package var accessLifetime: Duration

    package init(presented: TokenHash, successor: TokenHash, now: Timestamp, grace: Duration, accessLifetime: Duration) {
        self.presented = presented
        self.successor = successor
        self.now = now
        self.grace = grace
        self.accessLifetime = accessLifetime
    }
}

package struct RotatedSession: Sendable {
    package var session: Session
    package var profile: UserProfile

    package init(session: Session, profile: UserProfile) {
        self.session = session
        self.profile = profile
    }
}

package enum RotationOutcome: Sendable {
    /// The successor is stored, or was by an earlier use within the grace time.
    case rotated(RotatedSession)
    /// No such token, or its session is over.
    case unknown
    /// Used before, longer ago than the grace time: the session is ended now.
    case reused(EndedSession)
}
