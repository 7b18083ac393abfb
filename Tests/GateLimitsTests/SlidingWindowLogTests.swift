import GateCore
import GateTesting
import Testing

@testable import GateLimits

@Suite("The sliding window log")
struct SlidingWindowLogTests {
    private func moment(_ nanoseconds: UInt64) -> LimitMoment { LimitMoment(MonotonicInstant(nanoseconds: nanoseconds)) }

    /// Asks like a table does; returns the wait in nanoseconds, or `nil` when admitted.
    private func ask(
        _ log: inout SlidingWindowLog, _ limit: Int, _ window: UInt64, at nanoseconds: UInt64, mayGrow: Bool = true
    ) -> UInt64? {
        let moment = moment(nanoseconds)
        log.expire(at: moment, window: window)
        guard Int(log.admitted) < limit else { return log.wait(for: Int(log.admitted) - limit + 1, at: moment, window: window) }
        log.admit(at: moment, limit: limit, window: window, mayGrow: mayGrow)
        return nil
    }

    @Test("CHECKLIST 35: at nanosecond times, never more than n in any window, at most a millisecond late", arguments: [1, 3, 10, 100])
    func nanosecondSchedules(limit: Int) {
        for seed in 1...4 as ClosedRange<UInt64> {
            let random = SeededEntropy(seed: seed)
            var log = SlidingWindowLog()
            var admitted: [UInt64] = []
            var now: UInt64 = random.next() >> 2
            let window: UInt64 = 37
            for _ in 0..<8000 {
                now += random.next() % (random.number(in: 0...9) == 0 ? 40_000_000 : 37_000_000 / UInt64(limit) + 2)
                let wait = ask(&log, limit, window, at: now)
                // The moment at which an ideal log has room: the limit-th admission before this one is a whole window old.
                let ideal = admitted.count < limit ? 0 : admitted[admitted.count - limit] + window * 1_000_000
                if let wait {
                    #expect(now < ideal + 1_000_000, "refused more than a millisecond after there was room")
                    #expect(now + wait >= ideal)
                } else {
                    #expect(now >= ideal, "more than \(limit) in one window")
                    admitted.append(now)
                }
            }
            #expect(admitted.count > limit)
        }
    }

    @Test("CHECKLIST 56: the wait is exact to the nanosecond")
    func waitIsExact() {
        let random = SeededEntropy(seed: 5)
        var log = SlidingWindowLog()
        var now: UInt64 = 12_345_678
        var refusals = 0
        for _ in 0..<2000 {
            now += random.next() % 2_000_000
            guard let wait = ask(&log, 4, 10, at: now) else { continue }
            refusals += 1
            #expect(ask(&log, 4, 10, at: now + wait - 1) == 1)
            #expect(ask(&log, 4, 10, at: now + wait) == nil)
            now += wait
        }
        #expect(refusals > 300)
    }

    @Test(
        "CHECKLIST 52: a clock near its ends counts as any other",
        arguments: [0, 1, 999_999, 1_000_000, UInt64.max / 2, UInt64.max - 120_000_000_000, UInt64.max - 60_000_000_000])
    func extremes(start: UInt64) {
        var log = SlidingWindowLog()
        let window: UInt64 = 60_000
        let late: UInt64 = start % 1_000_000 == 0 ? 0 : 1_000_000 - start % 1_000_000
        #expect(ask(&log, 2, window, at: start) == nil)
        #expect(ask(&log, 2, window, at: start) == nil)
        #expect(ask(&log, 2, window, at: start) == 60_000_000_000 + late)
        #expect(
            ask(&log, 2, window, at: UInt64.max)
                == (UInt64.max - start >= 60_000_000_000 + late ? nil : 60_000_000_000 + late - (UInt64.max - start)))
    }

    @Test func twoYearsWithoutAnAskForgetEverything() {
        var log = SlidingWindowLog()
        for step in 0..<10 as Range<UInt64> { _ = ask(&log, 10, 60_000, at: step * 1_000_000) }
        let years: UInt64 = 70 * 366 * 86_400 * 1_000_000_000
        #expect(ask(&log, 1, 60_000, at: years) == nil)
        #expect(log.admitted == 1)
        #expect(log.bytes == 0)
    }

    @Test("A moment that comes late to the log is filed under its latest tick")
    func olderMoments() {
        var log = SlidingWindowLog()
        #expect(ask(&log, 2, 10, at: 50_000_000) == nil)
        #expect(ask(&log, 2, 10, at: 49_000_000) == nil)
        #expect(ask(&log, 2, 10, at: 50_000_000) == 10_000_000)
    }

    @Test("Memory: at most 1 KiB at 100 a window, nothing for a single admission, nothing when empty")
    func memory() {
        #expect(MemoryLayout<LimitEntry>.stride == 64)
        var log = SlidingWindowLog()
        #expect(ask(&log, 100, 60_000, at: 0) == nil)
        #expect(log.bytes == 0)
        for step in 1..<1000 as Range<UInt64> { _ = ask(&log, 100, 60_000, at: step * 7_000_000) }
        #expect(log.admitted == 100)
        // A table gives a key at most twice its size and a seventh, see MemoryLimitStore.
        #expect(log.bytes + 64 * 16 / 7 < 1024)
        log.expire(at: moment(70_000_000_000), window: 60_000)
        #expect(log.bytes == 0)
    }

    @Test("A limit of a hundred million costs no more than the bound")
    func hugeLimit() {
        var log = SlidingWindowLog()
        let limit = 100_000_000
        var now: UInt64 = 0
        for _ in 0..<400_000 {
            now += 250_000
            #expect(ask(&log, limit, 60_000, at: now) == nil)
        }
        // A window holds 240,000; those that leave late are of the last 2048th of it.
        #expect((240_000...240_000 + 240_000 / 2048 + 8).contains(log.admitted))
        #expect(log.bytes <= Int(SlidingWindowLog.maximumRuns) * 8 + 16)
    }

    @Test("CHECKLIST 35: a log that may not grow joins its runs, and still never admits more than n", arguments: [1, 2, 50])
    func joining(limit: Int) {
        let random = SeededEntropy(seed: 9)
        var log = SlidingWindowLog()
        var admitted: [UInt64] = []
        var now: UInt64 = 0
        for step in 0..<5000 {
            now += random.next() % 3_000_000
            if ask(&log, limit, 40, at: now, mayGrow: step % 100 < 3) == nil {
                if admitted.count >= limit { #expect(now - admitted[admitted.count - limit] >= 40_000_000) }
                admitted.append(now)
            }
        }
        #expect(admitted.count > 100)
        #expect(Int(log.admitted) <= limit)
    }

    @Test("Runs of one tick take more admissions than one run can count")
    func manyInOneTick() {
        var log = SlidingWindowLog()
        let limit = 17_000_000
        for _ in 0..<limit { log.admit(at: moment(5), limit: limit, window: 10) }
        #expect(Int(log.admitted) == limit)
        #expect(ask(&log, limit, 10, at: 6) == 10_999_994)
        #expect(ask(&log, limit, 10, at: 11_000_000) == nil)
        #expect(log.admitted == 1)
    }
}
