import GateCore
import GateSQL

/// A transaction on its way to a connection's thread, with someone who waits for its outcome. A class, since the queue keeps objects.
///
/// Sendable: what changes in it is touched by one thread at a time: the connection's, and then the one that answers.
class TransactionJob: @unchecked Sendable {
    /// Whether nothing else may share the transaction.
    let alone: Bool

    init(alone: Bool) { self.alone = alone }

    /// Runs the statements and keeps the result.
    func run(_ connection: SQLiteConnection) throws { throw StorageError.misuse(reason: "a transaction without a body") }

    /// Answers with the result of the last run.
    func succeed() {}

    func fail(_ error: any Error) {}
}

/// A body and the task that waits for its result.
///
/// The continuation is an unchecked one, which saves two allocations for each transaction: a job is answered once, by the thread that ran
/// it or by the one that could not put it into the queue.
final class BodyJob<Result: Sendable>: TransactionJob, @unchecked Sendable {
    private let continuation: UnsafeContinuation<Result, any Error>
    private let body: @Sendable (SQLiteConnection) throws -> Result
    // An optional would have its type looked up at run time, for each run.
    private let result: UnsafeMutablePointer<Result>
    private var hasResult = false

    init(
        alone: Bool, continuation: UnsafeContinuation<Result, any Error>,
        body: @escaping @Sendable (SQLiteConnection) throws -> Result
    ) {
        self.continuation = continuation
        self.body = body
        result = .allocate(capacity: 1)
        super.init(alone: alone)
    }

    deinit {
        discardResult()
        result.deallocate()
    }

    override func run(_ connection: SQLiteConnection) throws {
        discardResult()
        result.initialize(to: try body(connection))
        hasResult = true
    }

    private func discardResult() {
        if hasResult { result.deinitialize(count: 1) }
        hasResult = false
    }

    override func succeed() {
        guard hasResult else { return fail(StorageError.misuse(reason: "a transaction was answered before it ran")) }
        hasResult = false
        continuation.resume(returning: result.move())
    }

    override func fail(_ error: any Error) { continuation.resume(throwing: error) }
}

extension ObjectQueue {
    /// The next of `taken`, from a queue into which only transactions are put.
    static func job(_ taken: inout TakenObjects) -> TransactionJob? {
        taken.removeFirst().map { unsafeDowncast($0, to: TransactionJob.self) }
    }
}
