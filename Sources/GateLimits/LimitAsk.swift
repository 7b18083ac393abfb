/// A question on its way through a store.
struct LimitAsk {
    /// Its place among those asked together.
    let index: Int
    let shard: Int
    var key: LimitKey
    /// Where its entry lies, if there is one; valid until the table is next changed.
    var slot: Int?
    var isAdmitted = false

    init(_ question: LimitQuestion, index: Int) {
        self.index = index
        let (key, full) = LimitKey.hashed(question)
        self.key = key
        shard = Int(full >> (64 - MemoryLimitStore.shardBits))
    }

    func isSame(as other: LimitAsk) -> Bool { shard == other.shard && key == other.key }
}

/// The two halves of a decision: looking, and then charging.
extension LimitTable {
    /// Finds the entry, drops what has left its window, and says whether the policy admits one more.
    mutating func examine(_ ask: inout LimitAsk, _ policy: LimitPolicy, at moment: LimitMoment) {
        ask.key.policy = index(of: policy)
        locate(&ask)
        guard let slot = ask.slot else {
            ask.isAdmitted = policy.limit > 0
            return
        }
        let entry = entry(slot)
        logBytes -= entry.pointee.log.bytes
        entry.pointee.log.expire(at: moment, window: policy.windowTicks)
        logBytes += entry.pointee.log.bytes
        ask.isAdmitted = Int(entry.pointee.log.admitted) < policy.limit
    }

    func locate(_ ask: inout LimitAsk) { ask.slot = find(ask.key) }

    /// Counts one admission. Other entries may move.
    mutating func charge(_ ask: inout LimitAsk, _ policy: LimitPolicy, at moment: LimitMoment) {
        if ask.slot == nil {
            makeRoomForKey(at: moment)
            ask.slot = insert(ask.key)
        }
        guard var slot = ask.slot else { return }
        let before = entry(slot).pointee.log.bytes
        let more = entry(slot).pointee.log.bytesAfterAdmission(at: moment, limit: policy.limit) - before
        var mayGrow = true
        if more > 0, bytes + more > maximumBytes {
            mayGrow = makeRoom(for: more, of: ask.key, at: moment)
            locate(&ask)
            slot = ask.slot ?? slot
        }
        entry(slot).pointee.log.admit(at: moment, limit: policy.limit, window: policy.windowTicks, mayGrow: mayGrow)
        logBytes += entry(slot).pointee.log.bytes - before
    }

    /// How the policy stands after the decision.
    func state(of ask: LimitAsk, _ policy: LimitPolicy, at moment: LimitMoment) -> LimitState {
        guard let slot = ask.slot, policy.limit > 0 else {
            // A limit of zero refuses for ever: come back a window later.
            return LimitState(
                policy: policy, remaining: policy.limit, isAdmitted: ask.isAdmitted,
                resetAfterNanoseconds: ask.isAdmitted ? 0 : policy.windowTicks * 1_000_000)
        }
        let entry = entry(slot)
        let used = Int(entry.pointee.log.admitted)
        // Above the limit where that was lowered: then several have to leave before one is admitted.
        let leaving = ask.isAdmitted ? 1 : used - policy.limit + 1
        return LimitState(
            policy: policy, remaining: max(0, policy.limit - used), isAdmitted: ask.isAdmitted,
            resetAfterNanoseconds: entry.pointee.log.wait(for: leaving, at: moment, window: policy.windowTicks))
    }

    /// Adds what is counted now, of one policy or of all.
    func appendUsages(of name: String?, to usages: inout [LimitUsage], at moment: LimitMoment) {
        for slot in 0..<capacity where !isFree(slot) {
            let policy = policy(of: slot)
            guard name == nil || policy.name == name else { continue }
            let entry = entry(slot)
            usages.append(
                LimitUsage(
                    policy: policy, subject: key(at: slot).subject, used: Int(entry.pointee.log.admitted),
                    resetAfter: .nanoseconds(
                        Int64(clamping: entry.pointee.log.wait(for: 1, at: moment, window: policy.windowTicks)))))
        }
    }
}
