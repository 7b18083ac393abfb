import GateCore
import Glibc
import Synchronization

/// The threads that hash, and the queue they take from. Each keeps this alive until it ends.
final class HashingThreads: Sendable {
    private let queue: Mutex<HashingQueue>
    private let wake = Semaphore()
    private let time: any TimeSource

    /// Added to the process's own niceness, see setpriority(2): with every core hashing, an event loop that wakes is still run
    /// at once, and where nothing else wants the cores the hashing has all of them.
    static let niceness: Int32 = 10

    init(count: Int, queueLimit: Int, expected: Duration, time: any TimeSource) {
        queue = Mutex(HashingQueue(threads: count, limit: queueLimit, expected: expected))
        self.time = time
        for _ in 0..<count where !start() {
            // Out of threads: those that began must do. With none, every call is answered `closed`.
            for waiter in queue.withLock({ $0.threadEnded() }) { waiter.resume() }
        }
    }

    var statistics: PasswordHasher.Statistics { queue.withLock { $0.statistics } }

    func submit(_ job: HashingJob) {
        switch queue.withLock({ $0.admit(job) }) {
        case .queued: wake.signal()
        case .refused(let error): job.answer(.failure(error))
        }
    }

    func withdraw(_ id: UInt64) { queue.withLock { $0.withdraw(id) }?.answer(.failure(.closed)) }

    func close() {
        for job in queue.withLock({ $0.close() }) { job.answer(.failure(.closed)) }
        for _ in 0..<statistics.threads { wake.signal() }
    }

    func ended() async {
        await withCheckedContinuation { continuation in
            if !queue.withLock({ $0.awaitEnd(continuation) }) { continuation.resume() }
        }
    }

    private func start() -> Bool {
        let context = Unmanaged.passRetained(self)
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { context in
                Unmanaged<HashingThreads>.fromOpaque(context!).takeRetainedValue().run()
                return nil
            }, context.toOpaque())
        guard code == 0 else {
            context.release()
            return false
        }
        pthread_detach(thread)
        return true
    }

    private func run() {
        // Signals are for the threads that expect them.
        var all = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, nil)
        // On Linux zero means the calling thread. A refusal only costs the courtesy.
        let process = Int32(PRIO_PROCESS.rawValue)
        _ = setpriority(process, 0, min(19, getpriority(process, 0) + Self.niceness))
        let workspace = BcryptWorkspace()
        loop: while true {
            wake.wait()
            switch queue.withLock({ $0.next() }) {
            case .wait: continue
            case .end: break loop
            case .work(let job):
                let begin = time.monotonic()
                let hash = workspace.hash(job.password, setting: job.setting, prehash: job.prehash)
                queue.withLock { $0.finished(after: time.monotonic().since(begin)) }
                job.answer(.success(hash))
            }
        }
        for waiter in queue.withLock({ $0.threadEnded() }) { waiter.resume() }
    }
}
