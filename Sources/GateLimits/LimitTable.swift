import GateCore

/// One shard of a ``MemoryLimitStore``: what is counted for some of the subjects. An open-addressing hash table with linear probing
/// and backward-shift deletion, so that there are no tombstones to sweep and a slot is one line of the cache.
///
/// It has no lock and no clock. Its memory has two bounds, both hard: the number of keys, and the bytes of slots and logs together.
struct LimitTable: ~Copyable {
    /// Slots of the smallest table that holds anything.
    static let minimumCapacity = 8

    let maximumKeys: Int
    let maximumBytes: Int

    private(set) var capacity = 0
    private(set) var count = 0
    /// Keys that were forgotten although they still counted, since the start.
    private(set) var evictions = 0
    /// Bytes of all the logs' rings.
    var logBytes = 0
    /// Where the incremental sweep goes on.
    var hand = 0
    /// Where the next sample is taken from (an xorshift generator).
    var random: UInt64

    private var slots: UnsafeMutablePointer<LimitEntry>
    private var policies: [LimitPolicy] = []

    init(maximumKeys: Int, maximumBytes: Int, seed: UInt64) {
        self.maximumKeys = maximumKeys
        self.maximumBytes = maximumBytes
        random = seed | 1
        slots = Self.allocate(0)
    }

    deinit { Self.free(slots, capacity: capacity) }

    /// Bytes held: slots, rings.
    var bytes: Int { capacity * MemoryLayout<LimitEntry>.stride + logBytes }

    /// How `policy` is known here. A changed limit or window takes the place of the old one.
    mutating func index(of policy: LimitPolicy) -> UInt16 {
        for index in policies.indices where policies[index].id == policy.id {
            if policies[index].limit != policy.limit || policies[index].windowTicks != policy.windowTicks { policies[index] = policy }
            return UInt16(index)
        }
        policies.append(policy)
        return UInt16(policies.count - 1)
    }

    func policy(of slot: Int) -> LimitPolicy { policies[Int(slots[slot].key.policy)] }

    /// The limit and the window of the entry at `slot`.
    func rule(of slot: Int) -> (limit: Int, window: UInt64) {
        let index = Int(slots[slot].key.policy)
        return (policies[index].limit, policies[index].windowTicks)
    }

    func isFree(_ slot: Int) -> Bool { slots[slot].isFree }

    func key(at slot: Int) -> LimitKey { slots[slot].key }

    /// The entry at `slot`; valid until the table is next changed.
    func entry(_ slot: Int) -> UnsafeMutablePointer<LimitEntry> { slots + slot }

    /// The slot that holds `key`, or `nil`.
    func find(_ key: LimitKey) -> Int? {
        guard count > 0 else { return nil }
        var slot = home(key)
        while !slots[slot].isFree {
            if slots[slot].key == key { return slot }
            slot = after(slot)
        }
        return nil
    }

    /// Puts `key`, which is not there yet, and returns its slot. Room must have been made before.
    mutating func insert(_ key: LimitKey) -> Int {
        if (count + 1) * 8 > capacity * 7 { resize(to: grownCapacity) }
        count += 1
        let slot = free(for: key)
        slots[slot] = LimitEntry(key)
        return slot
    }

    /// Takes the entry at `slot` out and moves those that follow it closer to their homes.
    mutating func remove(at slot: Int) {
        logBytes -= slots[slot].log.bytes
        count -= 1
        var gap = slot
        var next = after(slot)
        while !slots[next].isFree {
            let home = home(slots[next].key)
            // Whether the way from home to `next` leads over the gap.
            if distance(from: home, to: next) >= distance(from: gap, to: next) {
                let moved = (slots + next).move()
                (slots + next).initialize(to: LimitEntry())
                slots[gap] = moved
                gap = next
            }
            next = after(next)
        }
        slots[gap] = LimitEntry()
    }

    /// Gives memory back after many keys have gone.
    mutating func shrinkIfSparse() {
        guard capacity > Self.minimumCapacity, count * 8 < capacity else { return }
        resize(to: count == 0 ? 0 : max(Self.minimumCapacity, count * 2))
    }

    mutating func noteEviction() { evictions += 1 }
}

// MARK: Places

extension LimitTable {
    /// The most slots that so many keys need: seven eighths of them may be taken.
    static func capacity(forKeys keys: Int) -> Int { max(minimumCapacity, keys * 8 / 7 + 2) }

    private var grownCapacity: Int { min(max(capacity * 2, Self.minimumCapacity), Self.capacity(forKeys: maximumKeys)) }

    /// Bytes that one more key would add.
    var bytesForAnotherKey: Int {
        (count + 1) * 8 > capacity * 7 ? (grownCapacity - capacity) * MemoryLayout<LimitEntry>.stride : 0
    }

    private func home(_ key: LimitKey) -> Int { Int((UInt64(key.hash) * UInt64(capacity)) >> 32) }

    private func after(_ slot: Int) -> Int { slot + 1 == capacity ? 0 : slot + 1 }

    private func distance(from: Int, to: Int) -> Int { to >= from ? to - from : to - from + capacity }

    private func free(for key: LimitKey) -> Int {
        var slot = home(key)
        while !slots[slot].isFree { slot = after(slot) }
        return slot
    }

    private mutating func resize(to wanted: Int) {
        let old = slots
        let oldCapacity = capacity
        capacity = wanted
        slots = Self.allocate(capacity)
        hand = 0
        for index in 0..<oldCapacity where !old[index].isFree {
            let slot = free(for: old[index].key)
            slots[slot] = (old + index).move()
            (old + index).initialize(to: LimitEntry())
        }
        Self.free(old, capacity: oldCapacity)
    }

    private static func allocate(_ capacity: Int) -> UnsafeMutablePointer<LimitEntry> {
        let slots = UnsafeMutableRawPointer.allocate(byteCount: max(capacity, 1) * MemoryLayout<LimitEntry>.stride, alignment: 64)
            .bindMemory(to: LimitEntry.self, capacity: capacity)
        for index in 0..<capacity { (slots + index).initialize(to: LimitEntry()) }
        return slots
    }

    private static func free(_ slots: UnsafeMutablePointer<LimitEntry>, capacity: Int) {
        slots.deinitialize(count: capacity)
        UnsafeMutableRawPointer(slots).deallocate()
    }
}
