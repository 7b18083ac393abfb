package import GateCore
package import GateCrypto
package import GateIdentity
package import GateSQL

package struct SQLSessionStore: SessionStore {
    private let database: any SQLDatabase

    package init(_ database: any SQLDatabase) { self.database = database }

    package func insert(_ session: Session, whilePassword hash: PasswordHash?) async throws -> Bool {
        try await database.write { connection in
            guard let credential = try UserRows.credential(session.userID, connection), credential.user.disabledAt == nil,
                hash == nil || credential.passwordHash == hash
            else { return false }
            try SessionRows.insert(session, connection)
            return true
        }
    }

    package func find(_ id: Session.ID, at now: Timestamp) async throws -> Session? {
        try await database.read { try SessionRows.family(id, at: now, $0)?.session }
    }

    package func list(user: User.ID, at now: Timestamp) async throws -> [Session] {
        try await database.read { connection in
            try connection.rows(
                """
                SELECT id, user_id, user_agent, address, created_at, last_used_at, expires_at, access_expires_at, refresh_generation
                FROM sessions WHERE user_id = ?1 AND expires_at > ?2
                ORDER BY last_used_at DESC, id DESC
                """, [user, now], read: SessionRows.session)
        }
    }

    package func touch(_ id: Session.ID, at now: Timestamp) async throws {
        try await database.write { connection in
            _ = try connection.execute("UPDATE sessions SET last_used_at = ?2 WHERE id = ?1", [id, now])
        }
    }

    package func rotate(_ rotation: RefreshRotation) async throws -> RotationOutcome {
        try await database.write { connection in
            guard var family = try SessionRows.family(rotation.session, at: rotation.now, connection) else { return .unknown }
            let outcome = family.use(rotation)
            switch outcome {
            case .rotated: try SessionRows.update(family, connection)
            case .reused: _ = try SessionRows.end(.one(rotation.session), connection)
            case .unknown: break
            }
            return outcome
        }
    }

    package func extendAccess(_ id: Session.ID, until accessExpiresAt: Timestamp, at now: Timestamp) async throws -> Session? {
        try await database.write { connection in
            guard var family = try SessionRows.family(id, at: now, connection) else { return nil }
            family.session.extendAccess(until: accessExpiresAt)
            family.session.lastUsedAt = now
            try SessionRows.update(family, connection)
            return family.session
        }
    }

    package func end(_ selection: SessionSelection) async throws -> [EndedSession] {
        try await database.write { try SessionRows.end(selection, $0) }
    }

    package func prune(before now: Timestamp, limit: Int) async throws -> Int {
        try await database.write { connection in
            try connection.execute(
                """
                DELETE FROM sessions WHERE id IN (
                    SELECT id FROM sessions WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2
                )
                """, [now, max(0, limit)])
        }
    }
}
