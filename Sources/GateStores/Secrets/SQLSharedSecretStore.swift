import GateCore
package import GateSQL

/// Secrets that instances share, sealed, each under a name. On Postgres only: a database of one process holds none.
package struct SQLSharedSecretStore: Sendable {
    package struct Row: Hashable, Sendable {
        /// Positive; another with each change.
        package var version: Int64
        package var sealed: [UInt8]
        /// What tells the key that it is sealed under from others.
        package var keyCheck: [UInt8]

        package init(version: Int64, sealed: [UInt8], keyCheck: [UInt8]) {
            self.version = version
            self.sealed = sealed
            self.keyCheck = keyCheck
        }
    }

    private let database: any SQLDatabase

    package init(_ database: any SQLDatabase) { self.database = database }

    /// - Throws: `StorageError`.
    package func find(_ name: String) async throws -> Row? {
        try await database.read { connection in
            try connection.row("SELECT version, sealed, key_check FROM shared_secrets WHERE name = ?1", [name]) {
                row throws(StorageError) in
                Row(version: try row.integer(0), sealed: try row.blob(1), keyCheck: try row.blob(2))
            }
        }
    }

    /// Puts `next` in the place of the row of that version, or where none is there yet.
    ///
    /// - Returns: `false` where there is another version, or one already: nothing was changed.
    /// - Throws: `StorageError`.
    package func replace(_ name: String, version: Int64?, by next: Row) async throws -> Bool {
        try await database.write { connection in
            guard let version else {
                return try connection.execute(
                    """
                    INSERT INTO shared_secrets (name, version, sealed, key_check, updated_at) VALUES (?1, ?2, ?3, ?4, gatehouse_clock())
                    ON CONFLICT (name) DO NOTHING
                    """, [name, next.version, next.sealed, next.keyCheck]) > 0
            }
            return try connection.execute(
                """
                UPDATE shared_secrets SET version = ?3, sealed = ?4, key_check = ?5, updated_at = gatehouse_clock()
                WHERE name = ?1 AND version = ?2
                """, [name, version, next.version, next.sealed, next.keyCheck]) > 0
        }
    }

    /// Notes a setting of this instance for the others.
    ///
    /// - Returns: what another instance, or this one before, has noted; `nil` for nothing.
    /// - Throws: `StorageError`.
    package func exchangeSetting(_ name: String, _ value: String) async throws -> String? {
        try await database.write { connection in
            let before = try connection.row("SELECT value FROM shared_settings WHERE name = ?1", [name]) {
                row throws(StorageError) in try row.text(0)
            }
            if before != value {
                try connection.execute(
                    """
                    INSERT INTO shared_settings (name, value) VALUES (?1, ?2)
                    ON CONFLICT (name) DO UPDATE SET value = excluded.value
                    """, [name, value])
            }
            return before
        }
    }
}
