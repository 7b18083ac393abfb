package import GateCore
import Synchronization

/// The revocations that still matter, in memory: asked at every authenticated request.
///
/// Filled from the store at start, and by each change that this process makes or another instance tells of, after its commit.
package final class RevocationList: Sendable {
    private final class Shard: Sendable {
        let entries = Mutex<[Revocation.Subject: Timestamp]>([:])
    }

    private let shards: [Shard]
    /// Of all shards together: while it is zero, no lock is taken.
    private let total = Atomic<Int>(0)

    package init() { shards = (0..<16).map { _ in Shard() } }

    package var count: Int { total.load(ordering: .relaxed) }

    /// Whether the token was revoked, or the session that it belongs to.
    package func isRevoked(token: AccessToken.ID, session: Session.ID) -> Bool {
        guard total.load(ordering: .acquiring) > 0 else { return false }
        return contains(.session(session)) || contains(.token(token))
    }

    package func isRevoked(session: Session.ID) -> Bool {
        guard total.load(ordering: .acquiring) > 0 else { return false }
        return contains(.session(session))
    }

    private func contains(_ subject: Revocation.Subject) -> Bool {
        shard(of: subject).entries.withLock { $0[subject] != nil }
    }

    package func insert(_ revocation: Revocation) {
        shard(of: revocation.subject).entries.withLock { entries in
            let known = entries.updateValue(revocation.expiresAt, forKey: revocation.subject)
            guard let known else {
                total.wrappingAdd(1, ordering: .releasing)
                return
            }
            // Never shortened.
            if known > revocation.expiresAt { entries[revocation.subject] = known }
        }
    }

    /// Forgets those that ended before `now`.
    package func prune(before now: Timestamp) {
        for shard in shards {
            shard.entries.withLock { entries in
                let before = entries.count
                entries = entries.filter { $0.value >= now }
                total.wrappingSubtract(before - entries.count, ordering: .relaxed)
            }
        }
    }

    private func shard(of subject: Revocation.Subject) -> Shard {
        switch subject {
        case .token(let id): shards[Int(truncatingIfNeeded: id.low & 15)]
        case .session(let id): shards[Int(truncatingIfNeeded: id.low & 15)]
        }
    }
}
