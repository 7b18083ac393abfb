/// Jobs that a thread has taken from a ``JobQueue``, in their order. Each leaves when it is removed, and nothing of it stays: who holds a
/// job last frees it, which touches memory that another core wrote.
package struct TakenJobs<Job: Sendable> {
    /// What was removed is `nil`. The queue exchanges it for its own list, so that neither has to grow anew.
    @usableFromInline var jobs: [Job?] = []
    @usableFromInline var next = 0

    @inlinable package init() {}

    @inlinable package var isEmpty: Bool { next == jobs.count }
    @inlinable package var count: Int { jobs.count - next }
    @inlinable package var first: Job? { isEmpty ? nil : jobs[next] }

    @inlinable package mutating func removeFirst() -> Job? {
        guard !isEmpty else { return nil }
        var job: Job?
        swap(&job, &jobs[next])
        next += 1
        return job
    }

    /// Makes room for the next ones, in the memory of those before.
    @inlinable mutating func removeAll() {
        jobs.removeAll(keepingCapacity: true)
        next = 0
    }
}

extension JobQueue {
    /// Takes up to `most` jobs into `taken`, which is empty: at least one, which it waits for. False once the queue is closed and empty.
    @inlinable package func take(upTo most: Int, into taken: inout TakenJobs<Job>) -> Bool {
        taken.removeAll()
        return move(upTo: most, into: &taken.jobs)
    }

    /// Takes what is there, up to `most`, without waiting.
    @inlinable package func takeWaiting(upTo most: Int, into taken: inout TakenJobs<Job>) {
        taken.removeAll()
        moveWaiting(upTo: most, into: &taken.jobs)
    }
}
