import GateCore
import GateLimits
import Glibc

/// Figures of the limiter, as one line of JSON: inside the process, nanoseconds for each decision (median of five rounds), bytes for
/// each key, resident memory under a flood. With `decisions FOLDER SECONDS`: decisions a second and how long one takes, in process and through
/// Redis, whose socket is put into the folder. Run the release build, on an idle machine.
@main
enum LimitsBench {
    private static let time = SystemTime()
    private static let policies = [
        LimitPolicy(name: "api", limit: 100, window: .seconds(60)), LimitPolicy(name: "auth", limit: 10, window: .seconds(900)),
        LimitPolicy(name: "login", limit: 5, window: .seconds(60)),
    ]
    /// Never refuses in a run: what is measured then is an admission.
    private static let open = ["open-1", "open-2", "open-3"].map { LimitPolicy(name: $0, limit: 1_000_000_000, window: .milliseconds(100)) }

    static func main() async {
        var writer = JSONWriter()
        writer.beginObject()
        if CommandLine.arguments.count == 4, CommandLine.arguments[1] == "decisions", let seconds = Double(CommandLine.arguments[3]) {
            DecisionBench.inProcess(&writer)
            await RedisBench(seconds: seconds).run(in: CommandLine.arguments[2], &writer)
            writer.endObject()
            print(String(decoding: writer.bytes, as: UTF8.self))
            return
        }
        flood(&writer)
        bytesPerKey(&writer)

        writer.name("ns_per_decision")
        writer.beginObject()
        writer.member("clock_read", nanoseconds(500_000) { _ in _ = time.monotonic() })
        let store = MemoryLimitStore(time: time)
        let one = LimitQuestions(LimitQuestion(policy: open[0], subject: .user(high: 1, low: 2)))
        writer.member("1_policy_1_key_admitted", nanoseconds(500_000) { _ in decide(store, one) })
        let refused = LimitQuestions(LimitQuestion(policy: policies[0], subject: .user(high: 1, low: 2)))
        writer.member("1_policy_1_key_refused", nanoseconds(500_000) { _ in decide(store, refused) })
        let three: LimitQuestions = [question(open[0], 9), question(open[1], 9), question(open[2], 9)]
        writer.member("3_policies_1_key_admitted", nanoseconds(300_000) { _ in decide(store, three) })
        let threeRefused: LimitQuestions = [question(policies[0], 7), question(policies[1], 7), question(policies[2], 7)]
        writer.member("3_policies_1_key_refused", nanoseconds(300_000) { _ in decide(store, threeRefused) })

        let million = MemoryLimitStore(time: time, maximumKeys: 1_300_000)
        for key in 0..<1_000_000 as Range<UInt64> { decide(million, LimitQuestions(question(policies[0], key))) }
        writer.member(
            "1_policy_1m_keys", nanoseconds(300_000) { decide(million, LimitQuestions(question(policies[0], scattered($0)))) })
        writer.member(
            "3_policies_1m_keys",
            nanoseconds(300_000) { step in
                let key = scattered(step)
                let others = (scattered(step &+ 500_000), scattered(step &+ 250_000))
                decide(million, [question(policies[0], key), question(policies[0], others.0), question(policies[0], others.1)])
            })
        writer.member("1_policy_4_threads_1_key", contended { _ in one })
        writer.member(
            "1_policy_4_threads_own_keys", contended { LimitQuestions(question(open[0], UInt64($0) + 100)) })
        writer.member(
            "3_policies_4_threads_1_key", contended { _ in three })
        writer.member("headers_1_policy", headers(store, one))
        writer.member("headers_3_policies", headers(store, three))
        writer.endObject()
        writer.endObject()
        print(String(decoding: writer.bytes, as: UTF8.self))
    }

    // MARK: Memory

    /// A million random /64s, and another million, against the default bounds.
    private static func flood(_ writer: inout JSONWriter) {
        let before = residentBytes()
        let store = MemoryLimitStore(time: time)
        writer.name("flood")
        writer.beginObject()
        var generator: UInt64 = time.monotonic().nanoseconds
        for millions in [1, 2] {
            let start = time.monotonic()
            let count = 1_000_000
            for _ in 0..<count {
                // The kernel's generator would take longer than what is measured.
                generator = generator &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let network = IPNetwork(IPAddress(high: generator, low: 0), prefix: 64)
                decide(store, LimitQuestions(LimitQuestion(policy: policies[0], subject: .network(network))))
            }
            let spent = time.monotonic().since(start).wholeNanoseconds / Int64(count)
            writer.name("after_\(millions)m")
            writer.beginObject()
            writer.member("keys", Int64(store.occupancy.keys))
            writer.member("bytes", Int64(store.occupancy.bytes))
            writer.member("resident_bytes", residentBytes() - before)
            writer.member("ns_per_decision", spent)
            writer.endObject()
        }
        writer.endObject()
    }

    private static func bytesPerKey(_ writer: inout JSONWriter) {
        let before = residentBytes()
        let store = MemoryLimitStore(time: time)
        // Eleven in twelve of what the table holds before it doubles; each admission in a tick of its own.
        let keys = 20_000 as UInt64
        for _ in 0..<100 {
            let start = time.monotonic()
            for key in 0..<keys { decide(store, LimitQuestions(question(policies[0], key))) }
            while time.monotonic().since(start) < .milliseconds(2) {}
        }
        writer.name("bytes_per_key_at_100")
        writer.beginObject()
        writer.member("accounted", Int64(store.occupancy.bytes / store.occupancy.keys))
        writer.member("resident", (residentBytes() - before) / Int64(keys))
        writer.endObject()
    }

    private static func residentBytes() -> Int64 {
        let file = fopen("/proc/self/statm", "r")
        defer { if let file { fclose(file) } }
        var line = [CChar](repeating: 0, count: 256)
        guard let file, fgets(&line, 256, file) != nil else { return 0 }
        let fields = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self).split(separator: " ")
        return (fields.count > 1 ? Int64(fields[1]) ?? 0 : 0) * Int64(sysconf(Int32(_SC_PAGESIZE)))
    }

    // MARK: Time

    private static func question(_ policy: LimitPolicy, _ user: UInt64) -> LimitQuestion {
        LimitQuestion(policy: policy, subject: .user(high: 0, low: user))
    }

    /// A key below a million, in no order that a cache could guess.
    static func scattered(_ step: Int) -> UInt64 {
        UInt64(truncatingIfNeeded: step) &* 0x9E37_79B9_7F4A_7C15 >> 20 % 1_000_000
    }

    @inline(never)
    private static func decide(_ store: MemoryLimitStore, _ questions: LimitQuestions) { _ = store.decideInPlace(questions) }

    @inline(never)
    private static func headers(_ store: MemoryLimitStore, _ questions: LimitQuestions) -> Double {
        guard let decision = store.decideInPlace(questions) else { return 0 }
        let now = time.now()
        var bytes = 0
        defer { precondition(bytes > 0) }
        return nanoseconds(300_000) { _ in bytes &+= LimitHeaders(decision, now: now).lines.count }
    }

    private static func nanoseconds(_ count: Int, _ work: (Int) -> Void) -> Double {
        var rounds: [Double] = []
        for round in 0..<5 {
            let start = time.monotonic()
            for step in 0..<count { work(round &* count &+ step) }
            rounds.append(Double(time.monotonic().since(start).wholeNanoseconds) / Double(count))
        }
        return (rounds.sorted()[2] * 10).rounded() / 10
    }

    /// Wall time for each decision of four threads together.
    private static func contended(_ questions: @escaping @Sendable (Int) -> LimitQuestions) -> Double {
        let store = MemoryLimitStore(time: time)
        var rounds: [Double] = []
        for _ in 0..<5 {
            let start = time.monotonic()
            let threads = (0..<4).map { index in
                Thread {
                    let asked = questions(index)
                    for _ in 0..<20_000 { decide(store, asked) }
                }
            }
            for thread in threads { thread.join() }
            rounds.append(Double(time.monotonic().since(start).wholeNanoseconds) / 80_000)
        }
        return (rounds.sorted()[2] * 10).rounded() / 10
    }
}

extension JSONWriter {
    fileprivate mutating func member(_ name: String, _ value: Double) {
        self.name(name)
        self.value(value)
    }
}

/// A thread of pthreads(7) that runs one closure.
struct Thread {
    private final class Work {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private var handle = pthread_t()

    init(_ body: @escaping @Sendable () -> Void) {
        let work = Unmanaged.passRetained(Work(body)).toOpaque()
        pthread_create(
            &handle, nil,
            { argument in
                Unmanaged<Work>.fromOpaque(argument!).takeRetainedValue().body()
                return nil
            }, work)
    }

    func join() { pthread_join(handle, nil) }
}
