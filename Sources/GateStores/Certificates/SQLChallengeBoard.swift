package import GateACME
package import GateCore
package import GateSQL

/// The challenges of instances that share a database. The table is there on Postgres only.
package struct SQLChallengeBoard: ChallengeBoard {
    private let database: any SQLDatabase

    package init(_ database: any SQLDatabase) { self.database = database }

    package func post(_ challenge: PostedChallenge, until end: Timestamp, at now: Timestamp) async throws {
        try await database.write { connection in
            try connection.execute("DELETE FROM certificate_challenges WHERE expires_at <= ?1", [now])
            try connection.execute(
                """
                INSERT INTO certificate_challenges (kind, name, key_authorization, expires_at) VALUES (?1, ?2, ?3, ?4)
                ON CONFLICT (kind, name, key_authorization) DO UPDATE SET expires_at = excluded.expires_at
                """, [challenge.kind.rawValue, challenge.name, challenge.keyAuthorization, end])
        }
    }

    package func withdraw(_ challenge: PostedChallenge) async throws {
        try await database.write { connection in
            _ = try connection.execute(
                "DELETE FROM certificate_challenges WHERE kind = ?1 AND name = ?2 AND key_authorization = ?3",
                [challenge.kind.rawValue, challenge.name, challenge.keyAuthorization])
        }
    }

    package func posted(at now: Timestamp) async throws -> [PostedChallenge] {
        try await database.read { connection in
            try connection.rows(
                """
                SELECT kind, name, key_authorization FROM certificate_challenges WHERE expires_at > ?1
                ORDER BY kind, name, key_authorization
                """, [now]
            ) { row throws(StorageError) in
                (kind: ChallengeKind(rawValue: try row.text(0)), name: try row.text(1), keyAuthorization: try row.text(2))
            }.compactMap { row in row.kind.map { PostedChallenge($0, name: row.name, keyAuthorization: row.keyAuthorization) } }
        }
    }
}
