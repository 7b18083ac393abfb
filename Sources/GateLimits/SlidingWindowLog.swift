/// The admissions of one subject under one policy: when, and how many. Exact, and without a clock.
///
/// Time is counted in ticks of a millisecond. An admission is filed under the tick at or after it, and leaves when the whole window
/// has passed since that tick: so rounding can make it leave up to a millisecond late, never early, and no window of real time
/// holds more admissions than were allowed.
///
/// Equal ticks share one run of 8 bytes, so a log never needs more runs than it has admissions or its window milliseconds. A log of
/// one run lies in place; a longer one in a ring on the heap that doubles as it fills. At ``maximumRuns`` neighbouring runs are
/// joined under the later tick: again some leave later than they might, by a 2048th of the window, none earlier.
struct SlidingWindowLog: ~Copyable {
    /// 64 KiB. Reached only by limits above that number.
    static let maximumRuns: UInt32 = 8192

    /// The tick of the latest run.
    private var latest: UInt64 = 0
    /// With a capacity of zero the only run itself, else the address of the ring.
    private var storage: UInt64 = 0
    private var head: UInt32 = 0
    private var runs: UInt32 = 0
    private var capacity: UInt32 = 0
    /// The number of admissions held.
    private(set) var admitted: UInt32 = 0

    init() {}

    deinit { if capacity > 0 { ring.deallocate() } }

    /// Bytes on the heap, with the allocator's header.
    var bytes: Int { capacity == 0 ? 0 : Self.bytes(capacity) }

    /// What the heap would hold after one more admission at `moment`, if the log may grow.
    func bytesAfterAdmission(at moment: LimitMoment, limit: Int) -> Int {
        needsRun(at: moment) && isFull ? max(bytes, Self.bytes(Self.grown(capacity, limit: limit))) : bytes
    }

    /// Drops the admissions that `window` no longer holds.
    mutating func expire(at moment: LimitMoment, window: UInt64) {
        guard runs > 0 else { return }
        if moment.tick >= latest &+ window {
            release()
            return
        }
        while runs > 1 {
            let run = self[0]
            guard moment.tick >= tick(of: run) &+ window else { return }
            admitted -= run.count
            head = head + 1 == capacity ? 0 : head + 1
            runs -= 1
        }
    }

    /// Nanoseconds until `slots` of the admissions held have left, zero where there are no more than that.
    ///
    /// - Precondition: ``expire(at:window:)`` was called for the same moment.
    func wait(for slots: Int, at moment: LimitMoment, window: UInt64) -> UInt64 {
        guard runs > 0, slots > 0 else { return 0 }
        var index: UInt32 = 0
        var left = slots - Int(self[0].count)
        while left > 0, index + 1 < runs {
            index += 1
            left -= Int(self[index].count)
        }
        return (tick(of: self[index]) &+ window &- moment.tick) * 1_000_000 - moment.nanosecondsInTick
    }

    /// Files one admission.
    ///
    /// - Parameter mayGrow: whether more memory may be taken for it. If not, neighbouring runs are joined.
    mutating func admit(at moment: LimitMoment, limit: Int, window: UInt64, mayGrow: Bool = true) {
        admitted += 1
        guard needsRun(at: moment) else {
            self[runs - 1] = Run(self[runs - 1].bits + 1)
            return
        }
        latest = max(latest, moment.nextTick)
        if isFull {
            if mayGrow, capacity < Self.maximumRuns { grow(limit: limit) } else { join(window: window) }
        }
        if isFull, self[runs - 1].count < Run.maximumCount {
            self[runs - 1] = Run(tick: latest, count: self[runs - 1].count + 1)
            return
        }
        if isFull { grow(limit: .max) }
        self[runs] = Run(tick: latest, count: 1)
        runs += 1
    }

    /// Forgets everything and gives the memory back.
    mutating func release() {
        if capacity > 0 { ring.deallocate() }
        capacity = 0
        head = 0
        runs = 0
        admitted = 0
    }
}

// MARK: Runs

extension SlidingWindowLog {
    /// Admissions of one tick: the lower 40 bits of the tick (35 years, of which ``LimitPolicy/windows`` needs one) over a count.
    private struct Run {
        static let countBits: UInt64 = 24
        static let tickMask: UInt64 = 1 << 40 - 1
        static let maximumCount: UInt32 = 1 << 24 - 1

        var bits: UInt64

        init(_ bits: UInt64) { self.bits = bits }
        init(tick: UInt64, count: UInt32) { bits = tick << Self.countBits | UInt64(count) }

        var count: UInt32 { UInt32(truncatingIfNeeded: bits) & Self.maximumCount }
    }

    private var ring: UnsafeMutablePointer<UInt64> { UnsafeMutablePointer(bitPattern: UInt(storage))! }

    private var isFull: Bool { capacity == 0 ? runs == 1 : runs == capacity }

    /// A moment before the latest run is filed under that run, so that the log stays in order.
    private func needsRun(at moment: LimitMoment) -> Bool {
        runs == 0 || moment.nextTick > latest || self[runs - 1].count == Run.maximumCount
    }

    private func tick(of run: Run) -> UInt64 { latest &- ((latest &- run.bits >> Run.countBits) & Run.tickMask) }

    /// The run at `index`, the oldest being zero.
    private subscript(index: UInt32) -> Run {
        get { Run(capacity == 0 ? storage : ring[place(of: index)]) }
        set { if capacity == 0 { storage = newValue.bits } else { ring[place(of: index)] = newValue.bits } }
    }

    private func place(of index: UInt32) -> Int {
        let place = head + index
        return Int(place >= capacity ? place - capacity : place)
    }

    private static func bytes(_ capacity: UInt32) -> Int { Int(capacity) * 8 + 16 }

    private static func grown(_ capacity: UInt32, limit: Int) -> UInt32 {
        capacity == 0 ? 4 : min(capacity * 2, max(UInt32(clamping: limit), capacity + 1))
    }

    private mutating func grow(limit: Int) {
        let wanted = Self.grown(capacity, limit: limit)
        let larger = UnsafeMutablePointer<UInt64>.allocate(capacity: Int(wanted))
        for index in 0..<runs { larger[Int(index)] = self[index].bits }
        if capacity > 0 { ring.deallocate() }
        storage = UInt64(UInt(bitPattern: larger))
        head = 0
        capacity = wanted
    }

    /// Joins the runs of each part of the window under the latest tick of that part, the parts being so wide that less than half of
    /// the ring is left in use. The parts lie at fixed places in time, so that joining again and again moves no run further.
    private mutating func join(window: UInt64) {
        guard capacity > 0 else { return }
        let width = max(1, (window * 4 + UInt64(capacity) - 1) / UInt64(capacity))
        var kept: UInt32 = 0
        for index in 1..<runs {
            let run = self[index]
            let last = self[kept]
            if tick(of: last) / width == tick(of: run) / width, last.count + run.count <= Run.maximumCount {
                self[kept] = Run(run.bits + UInt64(last.count))
            } else {
                kept += 1
                self[kept] = run
            }
        }
        runs = kept + 1
    }
}
