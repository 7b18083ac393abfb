import GateCore
import GateSQL
import GateSQLite
import Testing

/// Writes whose fate is known: each puts two rows into the database and moves a counter, or leaves all as it was.
struct Ledger: Sendable {
    private(set) var answered: Set<Int64> = []
    private(set) var refused: [Int64: StorageError] = [:]

    static func makeSchema(_ database: SQLiteDatabase) async throws {
        try await database.changeSchema { connection in
            try connection.executeScript(
                """
                CREATE TABLE entry (write INTEGER NOT NULL, half INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (write, half)) STRICT;
                CREATE TABLE newest (id INTEGER PRIMARY KEY CHECK (id = 1), write INTEGER NOT NULL) STRICT;
                INSERT INTO newest VALUES (1, 0);
                """)
        }
    }

    private static func write(_ number: Int64, to database: SQLiteDatabase) async -> StorageError? {
        do {
            try await database.write { connection in
                try connection.execute("INSERT INTO entry VALUES (?1, 1, zeroblob(300))", [number])
                try connection.execute("UPDATE newest SET write = max(write, ?1)", [number])
                try connection.execute("INSERT INTO entry VALUES (?1, 2, zeroblob(300))", [number])
            }
            return nil
        } catch let error as StorageError {
            return error
        } catch {
            Issue.record("an error of another kind: \(error)")
            return nil
        }
    }

    /// Makes the given writes at once, and notes which were answered.
    mutating func write(_ numbers: ClosedRange<Int64>, to database: SQLiteDatabase) async {
        await withTaskGroup(of: (Int64, StorageError?).self) { group in
            for number in numbers { group.addTask { (number, await Self.write(number, to: database)) } }
            for await (number, error) in group {
                if let error { refused[number] = error } else { answered.insert(number) }
            }
        }
    }

    /// Compares with what the database holds.
    ///
    /// - Parameter refusedAreAbsent: not so after a power cut, when what was not answered may be there, wholly.
    func check(_ database: SQLiteDatabase, refusedAreAbsent: Bool, _ context: String) async throws {
        let (halves, newest, soundness) = try await database.read { connection in
            (
                try connection.rows("SELECT write FROM entry ORDER BY write, half") { row throws(StorageError) in try row.integer(0) },
                try connection.row("SELECT write FROM newest") { row throws(StorageError) in try row.integer(0) },
                try connection.row("PRAGMA integrity_check") { row throws(StorageError) in try row.text(0) }
            )
        }
        let present = Set(halves)
        #expect(soundness == "ok", "\(context)")
        #expect(halves.count == present.count * 2, "a write is there by half: \(context)")
        #expect(answered.isSubset(of: present), "lost \(answered.subtracting(present).sorted()): \(context)")
        #expect(newest == present.max() ?? 0, "the counter fits no state: \(context)")
        if refusedAreAbsent {
            #expect(
                present.isDisjoint(with: refused.keys), "refused, but there: \(present.intersection(refused.keys).sorted()): \(context)")
        }
    }
}
