import GateCore

/// A transaction on its way to a connection, with someone who waits for its outcome.
protocol TransactionRequest: AnyObject, Sendable {
    var kind: PostgresTransaction.Kind { get }
    var since: MonotonicInstant { get }
    /// Runs the statements and keeps the result; again where the transaction has to be tried again.
    func run(_ transaction: PostgresTransaction) throws
    /// Answers with the result of the last run.
    func succeed()
    func fail(_ error: any Error)
}

/// A body and the task that waits for its result.
///
/// Sendable: `result` is touched by one connection's thread at a time. It is answered once, by the thread that ran it or by the one that
/// could not put it into the queue.
final class BodyRequest<Result: Sendable>: TransactionRequest, @unchecked Sendable {
    let kind: PostgresTransaction.Kind
    let since: MonotonicInstant
    private let continuation: UnsafeContinuation<Result, any Error>
    private let body: @Sendable (PostgresTransaction) throws -> Result
    private var result: Result?

    init(
        _ kind: PostgresTransaction.Kind, since: MonotonicInstant, continuation: UnsafeContinuation<Result, any Error>,
        body: @escaping @Sendable (PostgresTransaction) throws -> Result
    ) {
        self.kind = kind
        self.since = since
        self.continuation = continuation
        self.body = body
    }

    func run(_ transaction: PostgresTransaction) throws { result = try body(transaction) }

    func succeed() {
        guard let result else { return fail(StorageError.misuse(reason: "a transaction was answered before it ran")) }
        continuation.resume(returning: result)
    }

    func fail(_ error: any Error) { continuation.resume(throwing: error) }
}
