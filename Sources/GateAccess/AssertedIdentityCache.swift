import GateCore
import GateIdentity
import Synchronization

/// The identities asserted lately, by session and door: a signature costs more than all else that is done for a request.
///
/// Bounded: each shard holds a young and an old half; what is found moves to the young one, and when that is full the old one goes.
final class AssertedIdentityCache: Sendable {
    private struct State {
        var young: [UInt64: AssertedIdentity] = [:]
        var old: [UInt64: AssertedIdentity] = [:]
    }

    private final class Shard: Sendable {
        let state = Mutex(State())
    }

    private let shards: [Shard]
    /// Of one half of one shard.
    private let limit: Int

    /// - Parameter capacity: in pairs of session and door.
    init(capacity: Int) {
        let count = 16
        shards = (0..<count).map { _ in Shard() }
        limit = max(1, capacity / (count * 2))
    }

    /// - Parameter now: of the wall clock.
    func find(_ principal: Principal, at door: Door, now: Timestamp) -> AssertedIdentity? {
        let key = Self.key(principal, door)
        let known = shard(of: key).state.withLock { state -> AssertedIdentity? in
            if let known = state.young[key] { return known }
            guard let known = state.old.removeValue(forKey: key) else { return nil }
            insert(known, for: key, into: &state)
            return known
        }
        guard let known, known.holds(for: principal, at: door, now: now) else { return nil }
        return known
    }

    func store(_ identity: AssertedIdentity, at door: Door) {
        let key = Self.key(identity.principal, door)
        shard(of: key).state.withLock { insert(identity, for: key, into: &$0) }
    }

    private func insert(_ identity: AssertedIdentity, for key: UInt64, into state: inout State) {
        if state.young.count >= limit, state.young[key] == nil {
            state.old = state.young
            state.young = [:]
        }
        state.young[key] = identity
    }

    /// The last bits of a UUIDv7 are random. Pairs that have a key in common take each other's place, and no more, as what is found is asked
    /// whom it is for.
    private static func key(_ principal: Principal, _ door: Door) -> UInt64 { principal.sessionID.low ^ door.number << 32 }

    private func shard(of key: UInt64) -> Shard { shards[Int(truncatingIfNeeded: key) & (shards.count - 1)] }

    var count: Int { shards.reduce(0) { sum, shard in sum + shard.state.withLock { $0.young.count + $0.old.count } } }
}
