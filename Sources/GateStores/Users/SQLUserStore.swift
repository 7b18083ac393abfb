package import GateCore
package import GateCrypto
package import GateIdentity
package import GateSQL

package struct SQLUserStore: UserStore {
    private let database: any SQLDatabase

    package init(_ database: any SQLDatabase) { self.database = database }

    package func insert(
        _ user: User, passwordHash: PasswordHash?, organisation: Organisation?, session: Session?
    ) async throws -> Bool {
        try await database.write { connection in
            let inserted = try connection.execute(
                """
                INSERT INTO users (id, email, email_verified, name, avatar_url, password_hash, disabled_at, created_at, updated_at)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                ON CONFLICT (email) DO NOTHING
                """,
                [
                    user.id, user.email.text, user.isEmailVerified, user.name, user.avatarURL, passwordHash?.text, user.disabledAt,
                    user.createdAt, user.updatedAt,
                ])
            guard inserted == 1 else { return false }
            if let organisation { try OrganisationRows.insert(organisation, owner: user.id, at: user.createdAt, connection) }
            if let session { try SessionRows.insert(session, connection) }
            return true
        }
    }

    package func profile(_ id: User.ID) async throws -> UserProfile? {
        try await database.read { connection in
            var profile: UserProfile?
            try connection.query(
                """
                SELECT u.id, u.email, u.email_verified, u.name, u.avatar_url, u.disabled_at, u.created_at, u.updated_at,
                       m.role, o.id, o.name, o.created_at
                FROM users u
                LEFT JOIN memberships m ON m.user_id = u.id
                LEFT JOIN organisations o ON o.id = m.organisation_id
                WHERE u.id = ?1
                ORDER BY m.joined_at, m.organisation_id
                """, [id]
            ) { row throws(StorageError) in
                if profile == nil { profile = UserProfile(user: try UserRows.user(row), memberships: []) }
                guard !row.isNull(8) else { return }
                profile?.memberships.append(
                    Membership(organisation: try OrganisationRows.organisation(row, from: 9), role: try OrganisationRows.role(row, 8)))
            }
            return profile
        }
    }

    package func credential(email: EmailAddress) async throws -> UserCredential? {
        try await database.read { connection in
            try connection.row(
                """
                SELECT id, email, email_verified, name, avatar_url, disabled_at, created_at, updated_at, password_hash
                FROM users WHERE email = ?1
                """, [email.text], read: UserRows.credential)
        }
    }

    package func credential(id: User.ID) async throws -> UserCredential? {
        try await database.read { try UserRows.credential(id, $0) }
    }

    package func update(_ id: User.ID, _ changes: UserChanges, at now: Timestamp) async throws -> User? {
        try await database.write { connection in
            guard var user = try UserRows.find(id, connection) else { return nil }
            if let name = changes.name { user.name = name }
            if let avatarURL = changes.avatarURL { user.avatarURL = avatarURL }
            if let isEmailVerified = changes.isEmailVerified { user.isEmailVerified = isEmailVerified }
            user.updatedAt = now
            try connection.execute(
                "UPDATE users SET name = ?2, avatar_url = ?3, email_verified = ?4, updated_at = ?5 WHERE id = ?1",
                [id, user.name, user.avatarURL, user.isEmailVerified, now])
            return user
        }
    }

    package func setPassword(
        _ hash: PasswordHash, of id: User.ID, whilePassword old: PasswordHash?, keeping session: Session.ID?, at now: Timestamp
    ) async throws -> [EndedSession]? {
        try await database.write { connection in
            guard let credential = try UserRows.credential(id, connection), old == nil || credential.passwordHash == old else { return nil }
            try connection.execute("UPDATE users SET password_hash = ?2, updated_at = ?3 WHERE id = ?1", [id, hash.text, now])
            return try SessionRows.end(session.map { .others(than: $0, of: id) } ?? .all(of: id), connection)
        }
    }

    package func rehash(_ id: User.ID, from old: PasswordHash, to new: PasswordHash) async throws {
        try await database.write { connection in
            _ = try connection.execute(
                "UPDATE users SET password_hash = ?3 WHERE id = ?1 AND password_hash = ?2", [id, old.text, new.text])
        }
    }

    package func setDisabled(_ disabled: Bool, _ id: User.ID, at now: Timestamp) async throws -> [EndedSession]? {
        try await database.write { connection in
            guard let user = try UserRows.find(id, connection) else { return nil }
            guard (user.disabledAt != nil) != disabled else { return [] }
            try connection.execute(
                "UPDATE users SET disabled_at = ?2, updated_at = ?3 WHERE id = ?1", [id, disabled ? now : nil, now])
            return disabled ? try SessionRows.end(.all(of: id), connection) : []
        }
    }

    package func delete(_ id: User.ID) async throws -> [EndedSession]? {
        try await database.write { connection in
            guard try UserRows.find(id, connection) != nil else { return nil }
            let ended = try SessionRows.end(.all(of: id), connection)
            let organisations = try connection.rows("SELECT organisation_id FROM memberships WHERE user_id = ?1", [id]) {
                row throws(StorageError) in try row.identifier(0, of: Organisation.self)
            }
            try connection.execute("DELETE FROM users WHERE id = ?1", [id])
            for organisation in organisations { try OrganisationRows.settle(organisation, connection) }
            return ended
        }
    }

    package func list(after: User.ID?, limit: Int) async throws -> [User] {
        try await database.read { connection in
            // Every id is greater than the empty text, and later ones than earlier ones.
            try connection.rows(
                """
                SELECT id, email, email_verified, name, avatar_url, disabled_at, created_at, updated_at
                FROM users WHERE id > ?1 ORDER BY id LIMIT ?2
                """, [after?.description ?? "", max(0, limit)], read: UserRows.user)
        }
    }
}
