package import GateCore
import Synchronization

/// The in-process store: always answers in place, and starts empty with the process.
///
/// Subjects are spread over shards by a seeded hash, each with its own lock, so that requests meet only where they count the same
/// subject. A decision over several shards holds all their locks, taken in rising order.
///
/// **Memory.** A key takes 64 bytes and is given at most 147 of table; a log beyond one run adds 8 bytes for each admission (in
/// powers of two, at most the limit): below 1 KiB at 100 a window. Whatever is thrown at the store, it holds at most
/// `maximumKeys` keys and `maximumBytes` bytes; beyond, it forgets expired keys first, and then of sixteen at a random place the
/// one that has used the smallest share of its limit.
package final class MemoryLimitStore: LimitStore {
    /// What the store holds, for metrics.
    package struct Occupancy: Hashable, Sendable {
        package var keys = 0
        package var bytes = 0
        /// Keys forgotten for want of room although they still counted, since the start.
        package var evictions = 0
    }

    static let shardBits: UInt64 = 8

    private let time: any TimeSource
    private let shards: [LimitShard]

    /// - Parameters:
    ///   - maximumKeys: pairs of policy and subject that are remembered at once.
    ///   - maximumBytes: memory for them. Never less than what the keys themselves need: 74 bytes each, in all.
    package init(time: any TimeSource, maximumKeys: Int = 1_000_000, maximumBytes: Int = 256 << 20) {
        self.time = time
        let count = 1 << Self.shardBits
        let keys = max(16, (maximumKeys + count - 1) / count)
        let slots = LimitTable.capacity(forKeys: keys) * MemoryLayout<LimitEntry>.stride
        let bytes = max(maximumBytes / count, slots)
        var generator = SystemRandomNumberGenerator()
        shards = (0..<count).map { _ in LimitShard(LimitTable(maximumKeys: keys, maximumBytes: bytes, seed: generator.next())) }
    }

    package func decide(_ questions: LimitQuestions) async throws -> LimitDecision { decideNow(questions) }

    package func decideInPlace(_ questions: LimitQuestions) -> LimitDecision? { decideNow(questions) }

    private func decideNow(_ questions: LimitQuestions) -> LimitDecision {
        precondition(!questions.isEmpty, "What is not limited is not asked about")
        if questions.count == 1 { return decideOne(questions[0]) }
        return withUnsafeTemporaryAllocation(of: LimitAsk.self, capacity: questions.count) { asks in
            for index in questions.indices { asks.initializeElement(at: index, to: LimitAsk(questions[index], index: index)) }
            // Insertion sort: the asks are few.
            for index in 1..<asks.count {
                var place = index
                while place > 0, asks[place].shard < asks[place - 1].shard {
                    asks.swapAt(place, place - 1)
                    place -= 1
                }
            }
            return locked(asks, from: 0) { decideTogether(questions, asks) }
        }
    }

    private func decideOne(_ question: LimitQuestion) -> LimitDecision {
        var ask = LimitAsk(question, index: 0)
        let shard = shards[ask.shard]
        return shard.lock.withLock { _ in
            let moment = LimitMoment(time.monotonic())
            shard.table.pointee.examine(&ask, question.policy, at: moment)
            if ask.isAdmitted { shard.table.pointee.charge(&ask, question.policy, at: moment) }
            let state = shard.table.pointee.state(of: ask, question.policy, at: moment)
            if ask.isAdmitted { shard.table.pointee.sweepOne(at: moment) }
            return LimitDecision(state)
        }
    }

    /// Runs `body` with the locks of all shards from `position` on. The asks are in the order of their shards.
    private func locked(
        _ asks: UnsafeMutableBufferPointer<LimitAsk>, from position: Int, _ body: () -> LimitDecision
    ) -> LimitDecision {
        guard position < asks.count else { return body() }
        let shard = asks[position].shard
        var end = position + 1
        while end < asks.count, asks[end].shard == shard { end += 1 }
        return shards[shard].lock.withLock { _ in locked(asks, from: end, body) }
    }

    /// Decides with all locks held.
    private func decideTogether(_ questions: LimitQuestions, _ asks: UnsafeMutableBufferPointer<LimitAsk>) -> LimitDecision {
        // Read under the locks: an admission is then never dated before the moment of its decision.
        let moment = LimitMoment(time.monotonic())
        var isAdmitted = true
        for index in asks.indices {
            shards[asks[index].shard].table.pointee.examine(&asks[index], questions[asks[index].index].policy, at: moment)
            isAdmitted = isAdmitted && asks[index].isAdmitted
        }
        if isAdmitted {
            for index in asks.indices where !asks[..<index].contains(where: { $0.isSame(as: asks[index]) }) {
                shards[asks[index].shard].table.pointee.charge(&asks[index], questions[asks[index].index].policy, at: moment)
            }
        }
        var states: [LimitState] = []
        states.reserveCapacity(questions.count)
        for question in questions.indices {
            for ask in asks where ask.index == question {
                var ask = ask
                // Charging may have moved entries.
                if isAdmitted { shards[ask.shard].table.pointee.locate(&ask) }
                states.append(shards[ask.shard].table.pointee.state(of: ask, questions[question].policy, at: moment))
            }
        }
        if isAdmitted { for ask in asks { shards[ask.shard].table.pointee.sweepOne(at: moment) } }
        return LimitDecision(states: states)
    }
}

// MARK: Administration

extension MemoryLimitStore {
    package func list(policy: String?, limit: Int) async throws -> [LimitUsage] {
        guard limit > 0 else { return [] }
        var found: [LimitUsage] = []
        for shard in shards {
            shard.lock.withLock { _ in
                shard.table.pointee.sweep(at: LimitMoment(time.monotonic()))
                shard.table.pointee.appendUsages(of: policy, to: &found, at: LimitMoment(time.monotonic()))
            }
            if found.count > 2 * limit + 1024 { found = Self.mostUsed(limit, of: found) }
        }
        return Self.mostUsed(limit, of: found)
    }

    package func clear(_ selection: LimitSelection) async throws -> Int {
        shards.reduce(0) { cleared, shard in
            cleared
                + shard.lock.withLock { _ in
                    // What has expired was not counted any more, and is not counted as cleared.
                    shard.table.pointee.sweep(at: LimitMoment(time.monotonic()))
                    return shard.table.pointee.removeAll { table, slot in
                        selection.includes(table.key(at: slot).subject, policy: table.policy(of: slot).name)
                    }
                }
        }
    }

    /// Drops all that has expired, one shard after another. Decisions do this as they go; a service that calls it every minute lets
    /// the memory fall also when nobody asks.
    package func sweep() {
        for shard in shards { shard.lock.withLock { _ in shard.table.pointee.sweep(at: LimitMoment(time.monotonic())) } }
    }

    package var occupancy: Occupancy {
        shards.reduce(into: Occupancy()) { sum, shard in
            shard.lock.withLock { _ in
                sum.keys += shard.table.pointee.count
                sum.bytes += shard.table.pointee.bytes
                sum.evictions += shard.table.pointee.evictions
            }
        }
    }

    /// The order of ``LimitStore/list(policy:limit:)``, and as many.
    package static func mostUsed(_ limit: Int, of usages: [LimitUsage]) -> [LimitUsage] {
        let sorted = usages.sorted { left, right in
            let shares = (Double(left.used) / Double(max(1, left.policy.limit)), Double(right.used) / Double(max(1, right.policy.limit)))
            return shares.0 != shares.1 ? shares.0 > shares.1 : left.resetAfter > right.resetAfter
        }
        return Array(sorted.prefix(limit))
    }
}

extension LimitSelection {
    /// Whether a subject counted under a policy of that name is selected.
    package func includes(_ subject: LimitSubject, policy name: String) -> Bool {
        switch (self, subject) {
        case (.all, _): true
        case (.policy(let wanted), _): wanted == name
        case (.network(let wanted), .network(let network)), (.network(let wanted), .networkAndAccount(let network, _)):
            wanted.contains(network.base) && wanted.prefix <= network.prefix
                || network.contains(wanted.base) && network.prefix <= wanted.prefix
        case (.user(let high, let low), .user(let otherHigh, let otherLow)): high == otherHigh && low == otherLow
        case (.account(let wanted), .networkAndAccount(_, let account)): wanted == account
        default: false
        }
    }
}

/// A table and its lock.
///
/// Sendable although it holds a pointer, because what `table` leads to is touched only while `lock` is held. A pointer rather than a
/// variable, because the runtime would check each access to that for exclusiveness, which the lock has seen to.
private final class LimitShard: @unchecked Sendable {
    let lock = Mutex<Void>(())
    let table: UnsafeMutablePointer<LimitTable>

    init(_ table: consuming LimitTable) {
        self.table = .allocate(capacity: 1)
        self.table.initialize(to: table)
    }

    deinit {
        table.deinitialize(count: 1)
        table.deallocate()
    }
}
