import Synchronization

/// What a ``ShardedCache`` is looked up by.
protocol CacheKey: Hashable, Sendable {
    /// Bits that are spread evenly over the keys and cost nothing to get: the lowest choose the shard.
    var shardBits: UInt64 { get }
}

/// A bounded map in memory in front of something slower that can change.
///
/// A reader that found nothing takes a ``Ticket``, asks the slower source, and stores the answer with the ticket. Whoever changes the
/// source removes the key afterwards, which voids the tickets taken before: an answer that is older than a change is never stored.
///
/// Each shard holds a young and an old half. What is found moves to the young half; when that is full it becomes the old one and
/// the old one is dropped. So at most `capacity` entries are held, and what was used lately stays.
final class ShardedCache<Key: CacheKey, Value: Sendable>: Sendable {
    struct Ticket: Sendable {
        fileprivate var epoch: UInt64
    }

    private struct State {
        var young: [Key: Value] = [:]
        var old: [Key: Value] = [:]
        /// Counts the removals.
        var epoch: UInt64 = 0

        mutating func insert(_ value: Value, for key: Key, limit: Int) {
            if young.count >= limit, young[key] == nil {
                old = young
                young.removeAll(keepingCapacity: false)
            }
            young[key] = value
        }
    }

    private final class Shard: Sendable {
        let state = Mutex(State())
    }

    private let shards: [Shard]
    /// Of one half of one shard.
    private let limit: Int

    init(capacity: Int, shards count: Int = 16) {
        precondition(count.nonzeroBitCount == 1 && capacity >= 0)
        shards = (0..<count).map { _ in Shard() }
        limit = max(1, capacity / (count * 2))
    }

    private func shard(of key: Key) -> Shard { shards[Int(truncatingIfNeeded: key.shardBits) & (shards.count - 1)] }

    func value(for key: Key) -> Value? {
        shard(of: key).state.withLock { state in
            if let value = state.young[key] { return value }
            guard let value = state.old.removeValue(forKey: key) else { return nil }
            state.insert(value, for: key, limit: limit)
            return value
        }
    }

    func ticket(for key: Key) -> Ticket {
        shard(of: key).state.withLock { Ticket(epoch: $0.epoch) }
    }

    /// Stores what was read after `ticket` was taken, unless something of the shard was removed meanwhile.
    func store(_ value: Value, for key: Key, ticket: Ticket) {
        shard(of: key).state.withLock { state in
            guard state.epoch == ticket.epoch else { return }
            state.old.removeValue(forKey: key)
            state.insert(value, for: key, limit: limit)
        }
    }

    func remove(_ key: Key) {
        shard(of: key).state.withLock { state in
            state.epoch &+= 1
            state.young.removeValue(forKey: key)
            state.old.removeValue(forKey: key)
        }
    }

    func removeAll() {
        for shard in shards {
            shard.state.withLock { state in
                state.epoch &+= 1
                state.young = [:]
                state.old = [:]
            }
        }
    }

    var count: Int { shards.reduce(0) { sum, shard in sum + shard.state.withLock { $0.young.count + $0.old.count } } }
}
