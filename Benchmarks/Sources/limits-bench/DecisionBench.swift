import GateCore
import GateLimits
import Synchronization

/// Decisions inside the process, as many threads after each other's as there are: each is timed, and a clock read of some 20 ns is part of its time.
enum DecisionBench {
    private static let time = SystemTime()
    private static let decisions = 300_000

    static func inProcess(_ writer: inout JSONWriter) {
        writer.name("process")
        writer.beginObject()
        for (name, policies, threads, keys) in [
            ("1_policies_1_at_once", 1, 1, 1 as UInt64), ("1_policies_1_at_once_1m_keys", 1, 1, 1_000_000),
            ("1_policies_4_at_once", 1, 4, 4),
            ("3_policies_1_at_once", 3, 1, 1),
        ] {
            writer.name(name)
            row(policies: policies, threads: threads, keys: keys, &writer)
        }
        writer.endObject()
    }

    /// - Parameter latencies: in nanoseconds, sorted.
    static func write(_ latencies: [Int64], perSecond: Double, _ writer: inout JSONWriter) {
        writer.beginObject()
        if !latencies.isEmpty {
            writer.member("decisions_per_second", Int64(perSecond))
            writer.member("p50_nanoseconds", latencies[latencies.count / 2])
            writer.member("p99_nanoseconds", latencies[latencies.count * 99 / 100])
        }
        writer.endObject()
    }

    private static func row(policies: Int, threads: Int, keys: UInt64, _ writer: inout JSONWriter) {
        // Never refuses: what is measured is an admission, with a window that holds what comes in a tenth of a second.
        let limits = (0..<policies).map { LimitPolicy(name: "open-\($0)", limit: 1_000_000_000, window: .milliseconds(100)) }
        let store = MemoryLimitStore(time: time, maximumKeys: Int(keys) * policies + 300_000)
        let all = Mutex<[Int64]>([])
        let start = time.monotonic()
        let running = (0..<threads).map { index in
            Thread {
                var taken = [Int64]()
                taken.reserveCapacity(decisions)
                var last = time.monotonic()
                for step in 0..<decisions {
                    let key = threads > 1 ? UInt64(index) : LimitsBench.scattered(step) % keys
                    var questions = LimitQuestions()
                    for policy in limits { questions.append(LimitQuestion(policy: policy, subject: .user(high: 0, low: key))) }
                    _ = store.decideInPlace(questions)
                    let now = time.monotonic()
                    taken.append(now.since(last).wholeNanoseconds)
                    last = now
                }
                all.withLock { $0 += taken }
            }
        }
        for thread in running { thread.join() }
        let spent = Double(time.monotonic().since(start).wholeNanoseconds) / 1e9
        write(all.withLock { $0.sorted() }, perSecond: Double(threads * decisions) / spent, &writer)
    }
}
