import GateCore
package import GateSQL

/// What every ``SQLSchemaDatabase`` must do, whatever is behind it. An implementation's tests run each scenario on a database of
/// its own, empty.
package enum SQLDatabaseContract {
    /// The database under test.
    package struct Subject: Sendable {
        package let database: any SQLSchemaDatabase
        /// Closes it and opens what it left.
        package let reopen: @Sendable () async throws -> any SQLSchemaDatabase

        package init(database: any SQLSchemaDatabase, reopen: @escaping @Sendable () async throws -> any SQLSchemaDatabase) {
            self.database = database
            self.reopen = reopen
        }
    }

    package struct Scenario: Sendable, CustomStringConvertible {
        package let description: String
        package let run: @Sendable (Subject) async throws -> Void

        init(_ description: String, _ run: @escaping @Sendable (Subject) async throws -> Void) {
            self.description = description
            self.run = run
        }
    }

    package static let scenarios = transactions + values + errors + migrations

    /// An `account` with a unique address and a checked balance, and a `note` that belongs to one.
    static func schema(_ subject: Subject) async throws {
        try await subject.database.changeSchema { connection in
            try connection.executeScript(
                """
                CREATE TABLE account (
                    id BIGINT NOT NULL PRIMARY KEY, address TEXT NOT NULL UNIQUE, balance BIGINT NOT NULL DEFAULT 0 CHECK (balance >= 0)
                );
                CREATE TABLE note (
                    author BIGINT NOT NULL REFERENCES account (id), number BIGINT NOT NULL, body TEXT, UNIQUE (author, number)
                );
                """)
        }
    }
}

extension SQLConnection {
    func insertAccount(_ id: Int, _ address: String? = nil) throws {
        try execute("INSERT INTO account (id, address) VALUES (?1, ?2)", [id, address ?? "user\(id)@example.test"])
    }

    func accounts() throws -> [Int64] {
        try rows("SELECT id FROM account ORDER BY id") { row throws(StorageError) in try row.integer(0) }
    }
}
