import GateCore
import GateSQL

/// Runs reads, each in a transaction that sees one state. Confined to its thread.
struct SQLiteReader: ~Copyable {
    private let file: SQLiteFile
    private let queue: ObjectQueue
    /// `nil` before the first read, and after a failure that the connection may not get over.
    private var connection: SQLiteConnection?

    init(file: SQLiteFile, queue: ObjectQueue) {
        self.file = file
        self.queue = queue
    }

    /// Works until the queue is closed and empty.
    mutating func run() {
        var taken = TakenObjects()
        while queue.take(upTo: 1, into: &taken) {
            while let job = ObjectQueue.job(&taken) { serve(job) }
        }
        connection = nil
    }

    private mutating func serve(_ job: TransactionJob) {
        do {
            let connection = try opened()
            try connection.execute("BEGIN")
            try job.run(connection)
            try connection.execute("COMMIT")
        } catch {
            abandon(error)
            return job.fail(error)
        }
        job.succeed()
    }

    private mutating func abandon(_ error: any Error) {
        if let connection, connection.inTransaction { _ = try? connection.execute("ROLLBACK") }
        switch error as? StorageError {
        case .inputOutput, .corrupt, .unavailable: connection = nil
        default: if connection?.inTransaction == true { connection = nil }
        }
    }

    private mutating func opened() throws(StorageError) -> SQLiteConnection {
        if let connection { return connection }
        let fresh = try file.openForReading()
        connection = fresh
        return fresh
    }
}
