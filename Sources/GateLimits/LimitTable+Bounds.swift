/// How a table stays within its bounds.
extension LimitTable {
    /// Slots looked at for a victim.
    private static let sample = 16

    /// Looks at one slot, in turn, and drops its entry if that counts nothing any more. Called with every charge, it takes a key out
    /// long before the table has taken in as many new ones, and no decision waits for a sweep of all.
    mutating func sweepOne(at moment: LimitMoment) {
        guard count > 0 else { return }
        hand = hand + 1 < capacity ? hand + 1 : 0
        if !isFree(hand), expire(hand, at: moment) {
            remove(at: hand)
            shrinkIfSparse()
        }
    }

    /// Drops all entries that count nothing any more.
    mutating func sweep(at moment: LimitMoment) {
        removeAll { table, slot in table.expire(slot, at: moment) }
    }

    /// Removes what `condition` names; returns how many.
    @discardableResult
    mutating func removeAll(where condition: (inout LimitTable, Int) -> Bool) -> Int {
        let before = count
        var slot = 0
        while slot < capacity {
            // A removal may move another entry into this slot: it is looked at again.
            if !isFree(slot), condition(&self, slot) { remove(at: slot) } else { slot += 1 }
        }
        let removed = before - count
        if removed > 0 { shrinkIfSparse() }
        return removed
    }

    /// Makes room for one more key.
    mutating func makeRoomForKey(at moment: LimitMoment) {
        while count >= maximumKeys || bytes + bytesForAnotherKey > maximumBytes, count > 0 { evict(at: moment, except: nil) }
    }

    /// Tries to make room for `more` bytes of the log of `key`; whether there is.
    mutating func makeRoom(for more: Int, of key: LimitKey, at moment: LimitMoment) -> Bool {
        for _ in 0..<4 where bytes + more > maximumBytes { evict(at: moment, except: key) }
        return bytes + more <= maximumBytes
    }

    /// Drops the admissions of the entry that have left its window; whether none are left.
    private mutating func expire(_ slot: Int, at moment: LimitMoment) -> Bool {
        let window = rule(of: slot).window
        let entry = entry(slot)
        logBytes -= entry.pointee.log.bytes
        entry.pointee.log.expire(at: moment, window: window)
        logBytes += entry.pointee.log.bytes
        return entry.pointee.log.admitted == 0
    }

    /// Forgets one key: of a few that lie together at a random place an expired one, else the one that has used the smallest share
    /// of its limit. A flood of new subjects therefore pushes out itself, and not those who are near their limit.
    private mutating func evict(at moment: LimitMoment, except key: LimitKey?) {
        random ^= random << 13
        random ^= random >> 7
        random ^= random << 17
        var slot = Int(random.multipliedFullWidth(by: UInt64(capacity)).high)
        var victim: (slot: Int, share: Double)?
        var seen = 0
        // A table that is evicted from is full of keys or of bytes; with few keys the walk ends after one round.
        for _ in 0..<capacity {
            guard seen < Self.sample else { break }
            slot = slot + 1 < capacity ? slot + 1 : 0
            if isFree(slot) || self.key(at: slot) == key { continue }
            seen += 1
            if expire(slot, at: moment) {
                remove(at: slot)
                return
            }
            let log = entry(slot)
            // Where bytes are sought, a log that has none to give is no use.
            if key != nil, log.pointee.log.bytes == 0 { continue }
            let share = Double(log.pointee.log.admitted) / Double(max(1, rule(of: slot).limit))
            if share < victim?.share ?? .infinity { victim = (slot, share) }
        }
        guard let victim else { return }
        remove(at: victim.slot)
        noteEviction()
    }
}
