package import GateCore

/// A database that the stores speak to: SQLite, or Postgres.
///
/// The bodies are synchronous functions. On SQLite they run on the writer's thread, many to a commit, with nothing between one
/// statement and the next but the statement; an asynchronous body would cost a task and two hops each.
package protocol SQLDatabase: Sendable {
    /// Runs `body` in a transaction that sees one state of the database and cannot write.
    ///
    /// - Throws: `StorageError`, or what `body` throws.
    func read<Result: Sendable>(_ body: @escaping @Sendable (any SQLConnection) throws -> Result) async throws -> Result

    /// Runs `body` in a transaction of its own and returns after it is durable: on disk, not in a buffer.
    ///
    /// What `body` did is wholly there or, where it throws, wholly undone. It may run more than once (a serialization failure is
    /// tried again), so it must have no other effect than the statements.
    ///
    /// - Throws: `StorageError`, or what `body` throws.
    func write<Result: Sendable>(_ body: @escaping @Sendable (any SQLConnection) throws -> Result) async throws -> Result
}

/// A connection inside a transaction. It must not be kept beyond the closure that was given it.
///
/// Statements are text with parameters `?1`, `?2`, …; they are prepared once and kept.
package protocol SQLConnection {
    /// Runs a statement that returns no rows.
    /// - Returns: the number of rows inserted, changed or deleted.
    @discardableResult
    func execute(_ sql: StaticString, _ parameters: [any SQLBindable]) throws(StorageError) -> Int

    /// Runs a query and hands each row to `row`, in order.
    func query(_ sql: StaticString, _ parameters: [any SQLBindable], row: (borrowing any SQLRow) throws(StorageError) -> Void)
        throws(StorageError)
}
