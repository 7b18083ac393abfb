import GateCore

/// One password to be hashed, and who waits for it.
struct HashingJob: Sendable {
    let id: UInt64
    let password: Secret
    let setting: String
    let prehash: Bool
    let answer: @Sendable (Result<String?, PasswordHashingError>) -> Void
}

/// The queue of a ``PasswordHasher`` as a value: no thread, no clock and no lock inside. Whoever must be told something is
/// returned, and told outside the lock.
struct HashingQueue: Sendable {
    private(set) var statistics: PasswordHasher.Statistics
    private var waiting: [HashingJob] = []
    private var isClosed = false
    private let limit: Int
    /// Who waits for the last thread to end.
    private var awaitingEnd: [CheckedContinuation<Void, Never>] = []

    enum Admission {
        case queued
        case refused(PasswordHashingError)
    }

    enum Order {
        case work(HashingJob)
        case wait
        case end
    }

    init(threads: Int, limit: Int, expected: Duration) {
        self.limit = limit
        statistics = PasswordHasher.Statistics(threads: threads, averageDuration: expected)
    }

    mutating func admit(_ job: HashingJob) -> Admission {
        guard !isClosed, statistics.threads > 0 else { return .refused(.closed) }
        // A thread that is free takes its job from the queue as well, so those are not part of the bound.
        guard waiting.count < limit + max(0, statistics.threads - statistics.running) else {
            statistics.refused += 1
            return .refused(.overloaded(retryAfter: retryAfter))
        }
        waiting.append(job)
        statistics.queued = waiting.count
        return .queued
    }

    /// How long the queue as it stands will take, in whole seconds, at least one.
    private var retryAfter: Duration {
        let work = statistics.averageDuration * waiting.count / max(1, statistics.threads)
        return .seconds(max(1, work.secondsRoundedUp))
    }

    /// What a thread that was woken does next.
    mutating func next() -> Order {
        guard !waiting.isEmpty else { return isClosed ? .end : .wait }
        statistics.running += 1
        let job = waiting.removeFirst()
        statistics.queued = waiting.count
        return .work(job)
    }

    mutating func finished(after duration: Duration) {
        statistics.running -= 1
        statistics.completed += 1
        // An exponential moving average: the last eight or so count.
        statistics.averageDuration = (statistics.averageDuration * 7 + duration) / 8
    }

    /// The job, if no thread has begun it.
    mutating func withdraw(_ id: UInt64) -> HashingJob? {
        guard let index = waiting.firstIndex(where: { $0.id == id }) else { return nil }
        statistics.cancelled += 1
        defer { statistics.queued = waiting.count }
        return waiting.remove(at: index)
    }

    /// Those who wait get no answer any more; what is being hashed is finished.
    mutating func close() -> [HashingJob] {
        isClosed = true
        defer { waiting = [] }
        statistics.queued = 0
        return waiting
    }

    /// Who is to be told that the last thread has ended.
    mutating func threadEnded() -> [CheckedContinuation<Void, Never>] {
        statistics.threads -= 1
        guard statistics.threads == 0 else { return [] }
        defer { awaitingEnd = [] }
        return awaitingEnd
    }

    /// Whether there is something to wait for; `waiter` is then told by ``threadEnded()``.
    mutating func awaitEnd(_ waiter: CheckedContinuation<Void, Never>) -> Bool {
        guard statistics.threads > 0 else { return false }
        awaitingEnd.append(waiter)
        return true
    }
}
