import GateCore
import GateLimits
import GateTesting
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite("The in-process store under a flood", .serialized)
struct MemoryBoundTests {
    private let policy = LimitPolicy(name: "flooded", limit: 10, window: .seconds(60))

    private func ask(_ store: MemoryLimitStore, _ policy: LimitPolicy, _ subject: LimitSubject) -> LimitDecision? {
        store.decideInPlace(LimitQuestions(LimitQuestion(policy: policy, subject: subject)))
    }

    private func random64(_ random: SeededEntropy) -> LimitSubject {
        .network(IPAddress(high: random.next(), low: 0).limitedNetwork)
    }

    @Test("CHECKLIST 35: memory is bounded under a million random addresses, and who is at the limit stays there")
    func aMillionHostileKeys() throws {
        let time = ManualTime()
        let store = MemoryLimitStore(time: time, maximumKeys: 100_000, maximumBytes: 16 << 20)
        let register = LimitPolicy(name: "register", limit: 3, window: .seconds(3600))
        // Many, so that luck does not decide: under one policy all of the limit is used, under another all but one.
        let victims = (0..<200 as Range<UInt64>).map { LimitSubject.user(high: 1, low: $0) }
        for victim in victims {
            for _ in 0..<9 { #expect(ask(store, policy, victim)?.isAdmitted == true) }
            for _ in 0..<3 { #expect(ask(store, register, victim)?.isAdmitted == true) }
        }
        let before = Self.residentBytes()
        let random = SeededEntropy(seed: 1)
        for step in 0..<1_000_000 {
            _ = ask(store, policy, random64(random))
            if step % 100_000 == 0 {
                let occupancy = store.occupancy
                #expect(occupancy.keys <= 100_352, "256 shards of 391 and 392")
                #expect(occupancy.bytes <= 16 << 20)
            }
        }
        #expect(store.occupancy.keys > 99_000)
        #expect(store.occupancy.evictions > 800_000)
        #expect(Self.residentBytes() - before < 32 << 20, "the process itself did not grow beyond the bound")
        for victim in victims {
            #expect(ask(store, register, victim)?.isAdmitted == false)
            #expect(ask(store, policy, victim)?.tightest.remaining == 0)
            #expect(ask(store, policy, victim)?.isAdmitted == false)
        }
    }

    @Test("CHECKLIST 35: bytes are bounded where each subject has a long log, and never more than n are admitted")
    func longLogs() {
        let time = ManualTime()
        let store = MemoryLimitStore(time: time, maximumKeys: 5000, maximumBytes: 1 << 20)
        let policy = LimitPolicy(name: "long", limit: 100, window: .seconds(600))
        for round in 0..<120 {
            for key in 0..<4000 as Range<UInt64> { _ = ask(store, policy, .user(high: 0, low: key)) }
            time.advance(by: .milliseconds(7))
            if round % 10 == 0 { #expect(store.occupancy.bytes <= 1 << 20) }
        }
        #expect(store.occupancy.bytes <= 1 << 20)
        #expect(store.occupancy.keys > 0)
    }

    @Test("A refused request takes no memory") func refusalsTakeNone() {
        let store = MemoryLimitStore(time: ManualTime())
        let none = LimitPolicy(name: "none", limit: 0, window: .seconds(60))
        let random = SeededEntropy(seed: 2)
        for _ in 0..<10_000 { #expect(ask(store, none, random64(random))?.isAdmitted == false) }
        #expect(store.occupancy.keys == 0)
        #expect(store.occupancy.bytes == 0)
    }

    @Test("What has expired is swept as others come, and by sweep() when nobody does") func sweeping() {
        let time = ManualTime()
        let store = MemoryLimitStore(time: time)
        let random = SeededEntropy(seed: 3)
        for _ in 0..<100_000 { _ = ask(store, policy, random64(random)) }
        let full = store.occupancy
        #expect(full.keys == 100_000)
        time.advance(by: .seconds(60))
        // One subject in each shard, and no more, would do; a few thousand requests of old customers reach all.
        for step in 0..<400_000 as Range<UInt64> {
            _ = ask(store, LimitPolicy(name: "x", limit: 1_000_000, window: .seconds(1)), .user(high: 0, low: step % 2000))
        }
        #expect(store.occupancy.keys < 2000 + full.keys / 20)
        #expect(store.occupancy.bytes < full.bytes / 2)
        #expect(store.occupancy.evictions == 0)
        time.advance(by: .seconds(60))
        store.sweep()
        #expect(store.occupancy.keys == 0 && store.occupancy.bytes == 0)
    }

    @Test("Random comings and goings leave every key where it is found") func churn() {
        let time = ManualTime()
        let store = MemoryLimitStore(time: time, maximumKeys: 20_000)
        let random = SeededEntropy(seed: 4)
        let short = LimitPolicy(name: "short", limit: 2, window: .milliseconds(50))
        var admitted: [Int: [Int]] = [:]
        var now = 0
        for step in 0..<200_000 {
            if step % 40 == 0 {
                time.advance(by: .milliseconds(1))
                now += 1
            }
            let key = random.number(in: 0...3000)
            let held = (admitted[key] ?? []).filter { $0 + 50 > now }
            let decision = ask(store, short, .user(high: 0, low: UInt64(key)))
            guard decision?.isAdmitted == (held.count < 2) else {
                Issue.record("step \(step), key \(key)")
                return
            }
            admitted[key] = held.count < 2 ? held + [now] : held
        }
    }

    @Test("Hashes spread: a table that is nearly full still finds a key at once") func spread() {
        let store = MemoryLimitStore(time: ManualTime(), maximumKeys: 200_000)
        let clock = SystemTime()
        func fill(_ range: Range<UInt64>) -> Duration {
            let start = clock.monotonic()
            for key in range { _ = ask(store, policy, .user(high: 0, low: key)) }
            return clock.monotonic().since(start)
        }
        let first = fill(0..<20_000)
        _ = fill(20_000..<180_000)
        // Far apart: with all keys in one cluster it is hundreds of times slower.
        #expect(fill(180_000..<200_000) < first * 30)
    }

    private static func residentBytes() -> Int {
        #if os(Linux)
            guard let file = fopen("/proc/self/statm", "r") else { return 0 }
            defer { fclose(file) }
            var line = [CChar](repeating: 0, count: 256)
            guard fgets(&line, 256, file) != nil else { return 0 }
            let fields = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self).split(separator: " ")
            return (Int(fields[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE))
        #else
            return 0
        #endif
    }
}
