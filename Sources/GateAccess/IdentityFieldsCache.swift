import GateCore
import GateHTTP
import GateIdentity
import Synchronization

/// The identity fields made lately, by session and door: a signature costs more than all else that is done for a request.
///
/// Bounded: each shard holds a young and an old half; what is found moves to the young one, and when that is full the old one goes.
final class IdentityFieldsCache: Sendable {
    /// How long fields are used again, from the moment they were made: an assertion that is sent is good for as long at least.
    static let reuse = Duration.seconds(30)

    private struct Key: Hashable {
        let session: UInt64
        let door: UInt64

        func hash(into hasher: inout Hasher) { hasher.combine(session ^ door << 32) }
    }

    private struct Entry {
        /// Whom they tell of. Whatever changed about them since (a role, the address) makes them of no use.
        let principal: Principal
        let audience: String
        let fields: EncodedFields
        let madeAt: Timestamp
    }

    private struct State {
        var young: [Key: Entry] = [:]
        var old: [Key: Entry] = [:]
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

    /// - Parameter now: of the wall clock, which an assertion's times are told in; if it was set back, what it says is not used.
    func find(_ principal: Principal, at door: Door, now: Timestamp) -> EncodedFields? {
        let key = Key(session: principal.sessionID.low, door: door.number)
        let entry = shard(of: key).state.withLock { state -> Entry? in
            if let entry = state.young[key] { return entry }
            guard let entry = state.old.removeValue(forKey: key) else { return nil }
            insert(entry, for: key, into: &state)
            return entry
        }
        guard let entry, entry.madeAt <= now, now - entry.madeAt < Self.reuse, entry.audience == door.name,
            entry.principal.isSaidToBe(principal)
        else { return nil }
        return entry.fields
    }

    func store(_ fields: EncodedFields, for principal: Principal, at door: Door, now: Timestamp) {
        let key = Key(session: principal.sessionID.low, door: door.number)
        let entry = Entry(principal: principal, audience: door.name, fields: fields, madeAt: now)
        shard(of: key).state.withLock { insert(entry, for: key, into: &$0) }
    }

    private func insert(_ entry: Entry, for key: Key, into state: inout State) {
        if state.young.count >= limit, state.young[key] == nil {
            state.old = state.young
            state.young = [:]
        }
        state.young[key] = entry
    }

    /// The last bits of a UUIDv7 are random.
    private func shard(of key: Key) -> Shard { shards[Int(truncatingIfNeeded: key.session) & (shards.count - 1)] }

    var count: Int { shards.reduce(0) { sum, shard in sum + shard.state.withLock { $0.young.count + $0.old.count } } }
}

extension Principal {
    /// Whether all that is told of `other` is the same. An access token does not know the name: any will do.
    fileprivate func isSaidToBe(_ other: Principal) -> Bool {
        tokenID == other.tokenID && sessionID == other.sessionID && userID == other.userID && method == other.method
            && organisationID == other.organisationID && isEmailVerified == other.isEmailVerified && expiresAt == other.expiresAt
            && email == other.email && roles == other.roles && (method == .bearer || name == other.name)
    }
}
