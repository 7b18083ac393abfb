package import GateCore
package import GateIdentity
package import GateSQL

package struct SQLRevocationStore: RevocationStore {
    private let database: any SQLDatabase

    package init(_ database: any SQLDatabase) { self.database = database }

    package func insert(_ revocation: Revocation) async throws {
        try await database.write { try RevocationRows.insert(revocation, $0) }
    }

    package func load() async throws -> [Revocation] {
        try await database.read { connection in
            try connection.rows("SELECT kind, id, expires_at FROM revocations", [], read: RevocationRows.revocation)
        }
    }

    package func containsAny(of subjects: [Revocation.Subject]) async throws -> Bool {
        try await database.read { connection throws(StorageError) in
            for subject in subjects where try RevocationRows.contains(subject, connection) { return true }
            return false
        }
    }

    package func prune(before now: Timestamp) async throws -> Int {
        try await database.write { try $0.execute("DELETE FROM revocations WHERE expires_at < ?1", [now]) }
    }
}

/// Revocations as rows.
enum RevocationRows {
    /// Where there is one already, the later end counts.
    static func insert(_ revocation: Revocation, _ connection: any SQLConnection) throws(StorageError) {
        let (kind, id) = columns(revocation.subject)
        try connection.execute(
            """
            INSERT INTO revocations (kind, id, expires_at) VALUES (?1, ?2, ?3)
            ON CONFLICT (kind, id) DO UPDATE SET expires_at = excluded.expires_at
            WHERE revocations.expires_at < excluded.expires_at
            """, [kind, id, revocation.expiresAt])
    }

    static func contains(_ subject: Revocation.Subject, _ connection: any SQLConnection) throws(StorageError) -> Bool {
        let (kind, id) = columns(subject)
        return try !connection.rows("SELECT 1 FROM revocations WHERE kind = ?1 AND id = ?2", [kind, id]) { _ throws(StorageError) in }
            .isEmpty
    }

    private static func columns(_ subject: Revocation.Subject) -> (kind: String, id: String) {
        switch subject {
        case .token(let id): ("token", id.description)
        case .session(let id): ("session", id.description)
        }
    }

    /// Reads the columns `kind, id, expires_at`.
    static func revocation(_ row: borrowing any SQLRow) throws(StorageError) -> Revocation {
        let subject: Revocation.Subject =
            try row.text(0) == "token" ? .token(try row.identifier(1)) : .session(try row.identifier(1))
        return Revocation(subject: subject, expiresAt: try row.timestamp(2))
    }
}
