import GateCore
package import GateSQL
import Testing

/// What every ``SQLSchemaDatabase`` must do, whatever is behind it. Each function takes a database of its own, empty.
package enum SQLDatabaseContract {
    package static func keepsWhatItAnswered(_ database: some SQLSchemaDatabase) async throws {
        try await database.changeSchema { try $0.executeScript("CREATE TABLE note (id BIGINT PRIMARY KEY, body TEXT NOT NULL)") }
        try await database.write { _ = try $0.execute("INSERT INTO note VALUES (?1, ?2)", [1, "first"]) }
        let found = try await database.read {
            try $0.row("SELECT body FROM note WHERE id = ?1", [1]) { row throws(StorageError) in try row.text(0) }
        }
        #expect(found == "first")
    }
}
