package import GateCore
package import GateSQL
package import Logging

/// An embedded database: one file, one writer with group commit, a few readers. See ``SQLDatabase`` for the contract.
///
/// What ``write(_:)`` has answered is on disk (`journal_mode=WAL`, `synchronous=FULL`). A write that was answered with an error
/// left nothing; only where the disk failed in the commit itself and the process ended before the next write succeeded may it
/// be found done. Cancelling a task that waits here changes nothing: it gets its answer.
///
/// No other process may write to the file meanwhile, nor may a second of these be opened on it: hold a ``DataDirectoryLock``.
package final class SQLiteDatabase: Sendable {
    package let path: String
    let file: SQLiteFile
    let writes: ObjectQueue
    let reads: ObjectQueue
    private let writer: DatabaseThread
    private let answers: AnswerThread
    private let readers: [DatabaseThread]
    let condition: WriterCondition
    let time: any TimeSource

    /// Opens the file at `path`, made with `0600` where it is missing, its folder with `0700`.
    ///
    /// - Throws: `.corrupt` for a damaged file or another program's, left as it was; `.readOnly`, `.full`, `.unavailable` or
    ///   `.inputOutput` where it cannot be opened or made. Each names the path.
    package static func open(
        path: String, options: SQLiteOptions = SQLiteOptions(), time: any TimeSource, logger: Logger
    ) async throws(StorageError) -> SQLiteDatabase {
        let file = SQLiteFile(path: path, options: options)
        let writes = ObjectQueue(limit: options.queueLimit)
        let condition = WriterCondition()
        let answers = AnswerThread()
        nonisolated(unsafe) var thread: DatabaseThread?
        // The thread that uses a connection opens it, so that its handle never crosses from one to another.
        let opened: Result<Void, StorageError> = await withCheckedContinuation { continuation in
            thread = DatabaseThread(name: "sqlite-writer") {
                do throws(StorageError) {
                    let connection = try file.openForWriting()
                    continuation.resume(returning: .success(()))
                    var writer = SQLiteWriter(
                        connection, file: file, queue: writes, answers: answers, condition: condition, time: time, logger: logger)
                    writer.run()
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        do {
            try opened.get()
        } catch {
            answers.close()
            throw error
        }
        guard let thread else { throw .misuse(reason: "no writer") }
        return SQLiteDatabase(file: file, writes: writes, writer: thread, answers: answers, condition: condition, time: time)
    }

    private init(
        file: SQLiteFile, writes: ObjectQueue, writer: DatabaseThread, answers: AnswerThread,
        condition: WriterCondition, time: any TimeSource
    ) {
        path = file.path
        self.file = file
        self.writes = writes
        self.writer = writer
        self.answers = answers
        self.condition = condition
        self.time = time
        let reads = ObjectQueue(limit: file.options.queueLimit)
        self.reads = reads
        readers = (0..<max(1, file.options.readers)).map { number in
            DatabaseThread(name: "sqlite-read-\(number)") {
                var reader = SQLiteReader(file: file, queue: reads)
                reader.run()
            }
        }
    }

    deinit {
        reads.close()
        writes.close()
    }

    /// Lets everything that waits finish, copies the write-ahead log into the file and closes it. Calls from now on, and any
    /// further `close`, are harmless: the first get `.closed`, the second wait for the end.
    package func close() async {
        reads.close()
        for reader in readers { await reader.join() }
        writes.close()
        await writer.join()
        await answers.join()
    }

    /// How many writes wait for the writer to take them, for the metrics.
    package var waitingWrites: Int { writes.waiting }

    func submit<Result: Sendable>(
        to queue: ObjectQueue, alone: Bool = false, _ body: @escaping @Sendable (SQLiteConnection) throws -> Result
    ) async throws -> Result {
        try await withUnsafeThrowingContinuation { continuation in
            let job = BodyJob(alone: alone, continuation: continuation, body: body)
            switch queue.put(job) {
            case .accepted: break
            case .full: job.fail(StorageError.busy(reason: "\(path): too many transactions wait"))
            case .closed: job.fail(StorageError.closed)
            }
        }
    }
}

extension SQLiteDatabase: ServedDatabase {
    package func read<Result: Sendable>(_ body: @escaping @Sendable (any SQLConnection) throws -> Result) async throws -> Result {
        try await submit(to: reads) { try body($0) }
    }

    package func write<Result: Sendable>(_ body: @escaping @Sendable (any SQLConnection) throws -> Result) async throws -> Result {
        try await submit(to: writes) { try body($0) }
    }

    /// The writer alone changes the schema, so its transaction is the lock.
    package func changeSchema<Result: Sendable>(
        _ body: @escaping @Sendable (any SQLSchemaConnection) throws -> Result
    ) async throws -> Result {
        try await submit(to: writes, alone: true) { try body($0) }
    }
}
