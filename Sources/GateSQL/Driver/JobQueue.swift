/// An ``ObjectQueue`` for jobs of any kind, each of which it wraps into an object.
package final class JobQueue<Job: Sendable>: Sendable {
    package typealias Admission = ObjectQueue.Admission

    private final class Box: Sendable {
        let job: Job
        init(_ job: Job) { self.job = job }
    }

    private let queue: ObjectQueue

    package init(limit: Int) { queue = ObjectQueue(limit: limit) }

    /// How many jobs wait.
    package var waiting: Int { queue.waiting }

    package func put(_ job: Job) -> Admission { queue.put(Box(job)) }

    /// Gives back what was just taken, to be the next; also where the queue is closed.
    package func putBack(_ job: Job) { queue.putBack(Box(job)) }

    package var isClosed: Bool { queue.isClosed }

    /// Takes up to `count` jobs, at least one: waits for it. `nil` once the queue is closed and empty.
    package func take(upTo count: Int) -> [Job]? {
        var taken = TakenObjects()
        guard queue.take(upTo: count, into: &taken) else { return nil }
        var jobs: [Job] = []
        while let object = taken.removeFirst() { jobs.append(unsafeDowncast(object, to: Box.self).job) }
        return jobs
    }

    /// Refuses new jobs from now on. What waits is still taken.
    package func close() { queue.close() }
}
