import GateSQL

/// Tells callers the outcome of their writes while the writer is busy with the next ones. To wake a task costs about as much as
/// a small write; with hundreds to a commit that time is better spent beside the writer than in it.
struct AnswerThread: Sendable {
    /// What one commit decided: for each write the error, or `nil` where it is durable.
    typealias Outcomes = [(job: TransactionJob, error: (any Error)?)]

    private let queue: JobQueue<Outcomes>
    private let thread: DatabaseThread

    init() {
        let queue = JobQueue<Outcomes>(limit: .max)  // The writer waits for nobody; what is in here is bounded by who waits for it.
        self.queue = queue
        thread = DatabaseThread(name: "sqlite-answers") {
            while let batches = queue.take(upTo: 1) {
                for outcomes in batches { Self.answer(outcomes) }
            }
        }
    }

    /// Answers from the thread.
    func hand(_ outcomes: Outcomes) {
        guard case .accepted = queue.put(outcomes) else { return Self.answer(outcomes) }
    }

    /// Answers from the caller's thread.
    static func answer(_ outcomes: Outcomes) {
        for (job, error) in outcomes {
            if let error { job.fail(error) } else { job.succeed() }
        }
    }

    /// Lets it end once everything handed over is answered.
    func close() { queue.close() }

    /// Returns when it has ended.
    func join() async { await thread.join() }
}
