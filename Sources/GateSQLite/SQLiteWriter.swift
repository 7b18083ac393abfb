import CSQLite
import GateCore
import GateSQL
import Glibc
import Logging

/// Group commit: takes the writes that wait, runs them in one transaction, commits, and then answers them all.
///
/// Confined to the writer's thread. It owns the only connection that writes or checkpoints: two that do so at one moment can
/// corrupt the file (SQLite before 3.51.3, the WAL-reset bug).
struct SQLiteWriter: ~Copyable {
    private let file: SQLiteFile
    private let queue: ObjectQueue
    private let answers: AnswerThread
    private let condition: WriterCondition
    private let logger: Logger
    /// `nil` after a failure that the connection may not get over; the next batch opens another.
    private var connection: SQLiteConnection?
    private var log: WriteAheadLog
    private let time: any TimeSource
    /// Of the last commit: how many writes it held, and how long it took.
    private var last = (count: 0, duration: Duration.zero)
    /// So many further batches give each body a savepoint.
    private var carefulBatches = 0
    /// Taken from the queue, not yet begun.
    private var backlog = TakenObjects()

    init(
        _ connection: SQLiteConnection, file: SQLiteFile, queue: ObjectQueue, answers: AnswerThread,
        condition: WriterCondition, time: any TimeSource, logger: Logger
    ) {
        self.connection = connection
        self.file = file
        self.queue = queue
        self.answers = answers
        self.condition = condition
        self.time = time
        self.logger = logger
        log = WriteAheadLog(options: file.options, condition: condition, logger: logger)
        log.follow(connection)
    }

    /// Works until the queue is closed and empty.
    mutating func run() {
        while queue.take(upTo: file.options.batchLimit, into: &backlog) {
            while !backlog.isEmpty { commitBatch() }
            linger()
        }
        if let connection { log.finish(connection) }
        connection = nil
        answers.close()
    }

    /// Looks for the next write a moment longer before the thread sleeps: to be woken takes a good part of what a commit does, and who
    /// was answered often comes back at once.
    private func linger() {
        let end = time.monotonic() + Self.lull
        for _ in 0..<Self.mostLooks where queue.waiting == 0 {
            sched_yield()
            guard time.monotonic() < end else { return }
        }
    }

    /// However slowly the clock goes.
    private static let mostLooks = 1000
    /// The most that a write may wait for others to join it.
    private static let patience = Duration.milliseconds(2)
    /// So long without an arrival, and no more are expected.
    private static let lull = Duration.microseconds(50)

    private mutating func commitBatch() {
        var batch: AnswerThread.Outcomes = []
        let patience = time.monotonic() + min(last.duration, Self.patience)
        batch.reserveCapacity(backlog.count)
        var committing = false
        carefulBatches = max(0, carefulBatches - 1)
        do throws(StorageError) {
            let connection = try opened()
            try connection.execute("BEGIN IMMEDIATE")
            while batch.count < file.options.batchLimit, let job = next(after: batch.count, until: patience) {
                batch.append((job, nil))
                guard connection.inTransaction else { throw givenUp }
                if batch.count == 1 {
                    // It needs no savepoint: to undo it is to undo the transaction.
                    do { try job.run(connection) } catch { return refuse(job, error) }
                } else if carefulBatches > 0 {
                    batch[batch.count - 1].error = try runInSavepoint(job, on: connection)
                } else if let error = try runBare(job, on: connection) {
                    if connection.hasWritten { try runAgain(&batch, on: connection) } else { batch[batch.count - 1].error = error }
                }
                if job.alone { break }
            }
            guard connection.inTransaction else { throw givenUp }
            committing = true
            let start = time.monotonic()
            try connection.execute("COMMIT")
            last = (batch.count, time.monotonic().since(start))
        } catch {
            // One fate for all: a body that threw may have seen rows of another that are now gone.
            var lost = batch.map(\.job)
            if lost.isEmpty { while let job = ObjectQueue.job(&backlog) { lost.append(job) } }
            abandon(error)
            if committing { overwriteFailedCommit() }
            for job in lost { job.fail(error) }
            return
        }
        condition.writeSucceeded()
        if backlog.isEmpty && queue.waiting == 0 { AnswerThread.answer(batch) } else { answers.hand(batch) }
        if let connection { log.committed(connection) }
    }

    /// The next write that may run in this transaction. What arrived since it began joins it.
    private mutating func next(after count: Int, until end: MonotonicInstant) -> TransactionJob? {
        if backlog.isEmpty, count > 0, count < last.count { awaitOthers(until: end) }
        if backlog.isEmpty { queue.takeWaiting(upTo: file.options.batchLimit, into: &backlog) }
        guard let first = backlog.first, !(count > 0 && unsafeDowncast(first, to: TransactionJob.self).alone) else { return nil }
        return ObjectQueue.job(&backlog)
    }

    /// Waits a moment for those whom the last commit answered: most of them come back with their next write, one by one, and run in
    /// this transaction as they come. To commit at once would give the first a commit of its own, and make the others wait for it.
    /// It ends when as many are there as before, when nobody comes any more, or after the time that a commit takes.
    private func awaitOthers(until end: MonotonicInstant) {
        let lull = min(end, time.monotonic() + Self.lull)
        for _ in 0..<Self.mostLooks where queue.waiting == 0 {
            sched_yield()
            guard time.monotonic() < lull else { return }
        }
    }

    /// After a body had to be undone, so many batches are run as if more were to come: nobody can have each batch run twice.
    private static let caution = 32

    /// Without a savepoint, which costs nearly as much as a small write: most bodies have nothing that would have to be undone.
    ///
    /// - Returns: what the body threw; what it did is still there.
    /// - Throws: why the transaction is lost.
    private func runBare(_ job: TransactionJob, on connection: SQLiteConnection) throws(StorageError) -> (any Error)? {
        connection.hasWritten = false
        do {
            try job.run(connection)
            return nil
        } catch {
            guard connection.inTransaction else { throw lost(to: error) }
            condition.writeFailed(error)
            return error
        }
    }

    /// Begins the transaction anew and runs again what it held, each body so that it can be undone by itself: those too that threw without
    /// having written, for they may have seen what is gone now.
    private mutating func runAgain(_ batch: inout AnswerThread.Outcomes, on connection: SQLiteConnection) throws(StorageError) {
        carefulBatches = Self.caution
        try connection.execute("ROLLBACK")
        try connection.execute("BEGIN IMMEDIATE")
        for place in batch.indices {
            batch[place].error = try runInSavepoint(batch[place].job, on: connection)
        }
    }

    private func lost(to error: any Error) -> StorageError {
        error as? StorageError ?? givenUp
    }

    /// Also where a body caught the error upon which SQLite ended the transaction: what came after it would commit by itself.
    private var givenUp: StorageError { .inputOutput(reason: "\(file.path): SQLite gave the transaction up") }

    /// - Returns: what the body threw; it is undone then.
    /// - Throws: why the transaction is lost.
    private func runInSavepoint(_ job: TransactionJob, on connection: SQLiteConnection) throws(StorageError) -> (any Error)? {
        try connection.openSavepoint()
        do {
            try job.run(connection)
        } catch {
            guard connection.inTransaction else { throw lost(to: error) }
            condition.writeFailed(error)
            try connection.execute("ROLLBACK TO body")
            try connection.releaseSavepoint()
            return error
        }
        try connection.releaseSavepoint()
        return nil
    }

    private mutating func refuse(_ job: TransactionJob, _ error: any Error) {
        abandon(error)
        job.fail(error)
    }

    /// Ends the transaction, if one is left, so that the next finds the connection clean; or gives the connection up.
    private mutating func abandon(_ error: any Error) {
        condition.writeFailed(error)
        guard let connection, connection.inTransaction else { return }
        do throws(StorageError) {
            try connection.execute("ROLLBACK")
        } catch {
            logger.warning("The database's connection is opened anew", metadata: ["reason": "\(error)"])
        }
        if connection.inTransaction { self.connection = nil }
    }

    /// A commit whose sync failed may stand whole in the log, and a process that ended now would find it there when it starts
    /// again. The next commit overwrites it: so make one, before anybody is told that it failed.
    private mutating func overwriteFailedCommit() {
        do throws(StorageError) {
            let connection = try opened()
            try connection.execute("BEGIN IMMEDIATE")
            try connection.touch()
            try connection.execute("COMMIT")
            condition.writeSucceeded()
        } catch {
            abandon(error)
        }
    }

    private mutating func opened() throws(StorageError) -> SQLiteConnection {
        if let connection { return connection }
        let fresh = try file.reopenForWriting()
        log.follow(fresh)
        connection = fresh
        return fresh
    }
}
