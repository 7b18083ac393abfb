import CCrypt
import GateCore
import GateCrypto
import Glibc
import Synchronization

enum BcryptThroughput {
    /// The two in turn, `rounds` times; medians, of the ratio as well.
    static func measure(threads: Int, hashes: Int, rounds: Int) async throws -> JSON {
        var pooled: [Double] = []
        var plain: [Double] = []
        var late: [Int64] = []
        for _ in 0..<rounds {
            plain.append(try PlainBcrypt.rate(processes: threads, hashes: hashes))
            let (rate, wakeUp) = try await pool(threads: threads, hashes: hashes)
            pooled.append(rate)
            late.append(wakeUp)
        }
        return [
            "threads": .integer(Int64(threads)), "hashes_per_second": .number(median(pooled)),
            "plain_processes_hashes_per_second": .number(median(plain)),
            "ratio": .number(median(zip(pooled, plain).map { $0 / $1 })),
            "ratios": .array(zip(pooled, plain).map { .number($0 / $1) }),
            "wake_up_p99_microseconds_meanwhile": .integer(median(late) / 1000),
        ]
    }

    /// Hashes per second of the hasher, and how late a thread of ordinary priority is woken meanwhile: the 99th percentile, in
    /// nanoseconds.
    private static func pool(threads: Int, hashes: Int) async throws -> (Double, Int64) {
        let hasher = PasswordHasher(cost: 12, threads: threads, queueLimit: threads * hashes, entropy: SystemEntropy())
        let clock = SystemTime()
        let sleeper = Sleeper()
        let begin = clock.monotonic()
        try await withThrowingTaskGroup { group in
            for _ in 0..<(threads * hashes) { group.addTask { _ = try await hasher.hash(Secret("correct horse battery staple")) } }
            try await group.waitForAll()
        }
        let seconds = Double(clock.monotonic().since(begin).wholeNanoseconds) / 1e9
        let late = await sleeper.stop()
        await hasher.shutdown()
        return (Double(threads * hashes) / seconds, late)
    }
}

/// A thread that sleeps for a millisecond again and again, and notes by how much it oversleeps.
private final class Sleeper: Sendable {
    private let isStopped = Atomic<Bool>(false)
    private let result = Mutex<(late: [Int64], waiter: CheckedContinuation<Int64, Never>?)>(([], nil))

    init() {
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { context in
                Unmanaged<Sleeper>.fromOpaque(context!).takeRetainedValue().run()
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        pthread_detach(thread)
    }

    private func run() {
        let clock = SystemTime()
        var late: [Int64] = []
        while !isStopped.load(ordering: .acquiring) {
            let begin = clock.monotonic()
            usleep(1000)
            late.append(clock.monotonic().since(begin).wholeNanoseconds - 1_000_000)
        }
        let p99 = late.isEmpty ? 0 : late.sorted()[late.count * 99 / 100]
        result.withLock { $0.waiter.take() }?.resume(returning: p99)
    }

    func stop() async -> Int64 {
        await withCheckedContinuation { continuation in
            result.withLock { $0.waiter = continuation }
            isStopped.store(true, ordering: .releasing)
        }
    }
}

/// What the cores can do: as many processes as there are threads elsewhere, each calling crypt(3) in a loop.
enum PlainBcrypt {
    struct SpawnFailure: Error { var code: Int32 }

    static func hash(times: Int) {
        let data = UnsafeMutablePointer<crypt_data>.allocate(capacity: 1)
        memset(data, 0, MemoryLayout<crypt_data>.size)
        for _ in 0..<times {
            crypt_rn("correct horse battery staple", "$2b$12$abcdefghijklmnopqrstuu", data, Int32(MemoryLayout<crypt_data>.size))
        }
        exit(data.pointee.output.0 == CChar(bitPattern: UInt8(ascii: "$")) ? 0 : 1)
    }

    /// Hashes per second of them all.
    static func rate(processes: Int, hashes: Int) throws -> Double {
        let clock = SystemTime()
        let begin = clock.monotonic()
        let children = try (0..<processes).map { _ in try spawn(["crypto-bench", "plain-bcrypt", "\(hashes)"]) }
        for child in children {
            var status: Int32 = 0
            guard waitpid(child, &status, 0) == child, status == 0 else { throw SpawnFailure(code: status) }
        }
        return Double(processes * hashes) / (Double(clock.monotonic().since(begin).wholeNanoseconds) / 1e9)
    }

    private static func spawn(_ arguments: [String]) throws -> pid_t {
        var pointers = arguments.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, "/proc/self/exe", nil, nil, &pointers, environ)
        guard code == 0 else { throw SpawnFailure(code: code) }
        return child
    }
}
