import GateCore
import GateSQL
import GateSQLite
import GateTesting
import Synchronization
import Testing

@Suite struct WriteAheadLogTests {
    @Test("CHECKLIST 50: the write-ahead log stays bounded under permanent readers")
    func bounded() async throws {
        let limit = 100 * 1024
        // What the same load makes of it without the bound: else the readers would prove nothing.
        let unbounded = try await largestLog(limit: 1 << 30)
        #expect(unbounded > 6 * limit, "the readers let the log be begun anew: \(unbounded)")
        let bounded = try await largestLog(limit: limit)
        // An attempt may fail against a reader that this machine lets wait; the next follows soon.
        #expect(bounded < 4 * limit, "\(bounded)")
    }

    /// The size in bytes that the log reaches while 1.2 MiB are written under readers of which one always stands in the log.
    private func largestLog(limit: Int) async throws -> Int {
        let folder = TemporaryFolder()
        let database = try await folder.open { options in
            options.readers = 3
            options.checkpointInterval = 10
            options.logLimit = limit
        }
        try await database.changeSchema { try $0.executeScript("CREATE TABLE page (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT") }
        let chain = ReaderChain()
        let largest = try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<3 {
                group.addTask { while !chain.isOver { try await chain.read(database) } }
            }
            var largest = 0
            for _ in 0..<300 {
                try await database.write { _ = try $0.execute("INSERT INTO page (body) VALUES (randomblob(4000))") }
                largest = max(largest, fileSize("\(folder.databasePath)-wal"))
            }
            chain.end()
            try await group.waitForAll()
            return largest
        }
        await database.close()
        return largest
    }
}

/// Reads that overlap: each lasts until the next has begun, so that at any moment one of them is running.
final class ReaderChain: Sendable {
    private let begun = Atomic(0)
    private let over = Atomic(false)

    var isOver: Bool { over.load(ordering: .acquiring) }
    func end() { over.store(true, ordering: .releasing) }

    func read(_ database: SQLiteDatabase) async throws {
        try await database.read { [self] connection in
            // The snapshot is taken by the first statement.
            _ = try connection.row("SELECT count(*) FROM page") { _ in }
            let mine = begun.add(1, ordering: .acquiringAndReleasing).newValue
            // Work in place of a clock: a millisecond or so for each turn.
            while begun.load(ordering: .acquiring) == mine, !isOver {
                _ = try connection.row(
                    "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 3000) SELECT max(x) FROM c"
                ) { _ in }
            }
        }
    }
}
