package import GateCore

/// The refresh tokens of one session, as its store keeps them: how many there were, and when the last of them were used.
///
/// A value without clock or storage: every store reads one, lets it decide, and writes it back in the same transaction.
package struct RefreshFamily: Hashable, Sendable {
    package var session: Session
    package var rotations: RecentRotations

    package init(session: Session, rotations: RecentRotations) {
        self.session = session
        self.rotations = rotations
    }

    /// Uses a token of the family. The session must be alive.
    ///
    /// With ``RotationOutcome/rotated(_:)`` this has changed and is to be stored; otherwise it has not.
    package mutating func use(_ rotation: RefreshRotation) -> RotationOutcome {
        guard rotation.generation >= 0, rotation.generation <= session.refreshGeneration else { return .unknown }
        let age = session.refreshGeneration - rotation.generation
        if age == 0 {
            rotations.record(rotation.now, grace: rotation.grace)
            session.refreshGeneration += 1
        } else if !rotations.permitsReuse(age: age, at: rotation.now, grace: rotation.grace) {
            return .reused(EndedSession(id: session.id, userID: session.userID, accessExpiresAt: session.accessExpiresAt))
        }
        session.device = rotation.device
        session.lastUsedAt = rotation.now
        session.extendAccess(until: rotation.now + rotation.accessLifetime)
        return .rotated(session)
    }
}

extension Session {
    /// Notes the end of a further access token: never beyond the session's own end, and never before that of an earlier token.
    package mutating func extendAccess(until end: Timestamp) {
        accessExpiresAt = min(expiresAt, max(accessExpiresAt, end))
    }
}

package enum RotationOutcome: Hashable, Sendable {
    /// The successor has the generation after the one presented: made now, or by an earlier use within the grace time.
    case rotated(Session)
    /// No such session, or it is over, or never had a token of that generation.
    case unknown
    /// Used before, longer ago than the grace time: the session is ended now, and its revocation recorded.
    case reused(EndedSession)
}

/// When the last refresh tokens of a session were first used: what tells a client that asked twice from a thief.
///
/// A token of which the time is not known any more was used longer ago than the grace time, or more than ``capacity`` generations
/// ago.
package struct RecentRotations: Hashable, Sendable {
    /// Of the generations before the newest, the last first.
    package private(set) var times: [Timestamp]

    package static let capacity = 16

    package init(times: [Timestamp] = []) { self.times = Array(times.prefix(Self.capacity)) }

    /// Notes the first use of the newest token, and forgets what lies further back than the grace time.
    mutating func record(_ now: Timestamp, grace: Duration) {
        times = Array(([now] + times.prefix { Self.isRecent($0, now, grace) }).prefix(Self.capacity))
    }

    /// Whether a token `age` generations older than the newest may be presented again.
    func permitsReuse(age: Int64, at now: Timestamp, grace: Duration) -> Bool {
        guard age >= 1, age <= times.count else { return false }
        return Self.isRecent(times[Int(age) - 1], now, grace)
    }

    /// A clock set back by up to the grace time does no harm; set back further, the rule is kept and the doubtful token refused.
    private static func isRecent(_ time: Timestamp, _ now: Timestamp, _ grace: Duration) -> Bool {
        (.zero - grace...grace).contains(now - time)
    }
}
