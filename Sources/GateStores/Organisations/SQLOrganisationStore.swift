package import GateCore
package import GateIdentity
package import GateSQL

package struct SQLOrganisationStore: OrganisationStore {
    private let database: any SQLDatabase

    package init(_ database: any SQLDatabase) { self.database = database }

    package func insert(_ organisation: Organisation, owner: User.ID, at now: Timestamp) async throws -> Bool {
        try await database.write { connection in
            guard try UserRows.find(owner, connection) != nil else { return false }
            try OrganisationRows.insert(organisation, owner: owner, at: now, connection)
            return true
        }
    }

    package func find(_ id: Organisation.ID) async throws -> Organisation? {
        try await database.read { try OrganisationRows.find(id, $0) }
    }

    package func role(of user: User.ID, in organisation: Organisation.ID) async throws -> Role? {
        try await database.read { try OrganisationRows.role(of: user, in: organisation, $0) }
    }

    package func members(of organisation: Organisation.ID) async throws -> [Member] {
        try await database.read { connection in
            try connection.rows(
                """
                SELECT u.id, u.email, u.email_verified, u.name, u.avatar_url, u.disabled_at, u.created_at, u.updated_at,
                       m.role, m.joined_at
                FROM memberships m JOIN users u ON u.id = m.user_id
                WHERE m.organisation_id = ?1
                ORDER BY m.joined_at, u.id
                """, [organisation]
            ) { row throws(StorageError) in
                Member(user: try UserRows.user(row), role: try OrganisationRows.role(row, 8), joinedAt: try row.timestamp(9))
            }
        }
    }

    package func insertMember(
        _ user: User.ID, as role: Role, in organisation: Organisation.ID, at now: Timestamp
    ) async throws -> Bool {
        try await database.write { connection in
            guard try UserRows.find(user, connection) != nil, try OrganisationRows.find(organisation, connection) != nil else {
                return false
            }
            let inserted = try connection.execute(
                """
                INSERT INTO memberships (organisation_id, user_id, role, joined_at) VALUES (?1, ?2, ?3, ?4)
                ON CONFLICT (organisation_id, user_id) DO NOTHING
                """, [organisation, user, role.rawValue, now])
            return inserted == 1
        }
    }

    package func setRole(
        _ role: Role, of user: User.ID, in organisation: Organisation.ID, from current: Role
    ) async throws -> MembershipChange {
        try await database.write { connection in
            guard try OrganisationRows.role(of: user, in: organisation, connection) == current else { return .notMember }
            if current == .owner, role != .owner, try !OrganisationRows.hasOwner(organisation, besides: user, connection) {
                return .lastOwner
            }
            try connection.execute(
                "UPDATE memberships SET role = ?3 WHERE organisation_id = ?1 AND user_id = ?2", [organisation, user, role.rawValue])
            return .done
        }
    }

    package func removeMember(
        _ user: User.ID, from organisation: Organisation.ID, as current: Role
    ) async throws -> MembershipChange {
        try await database.write { connection in
            guard try OrganisationRows.role(of: user, in: organisation, connection) == current else { return .notMember }
            if current == .owner, try !OrganisationRows.hasOwner(organisation, besides: user, connection) { return .lastOwner }
            try connection.execute("DELETE FROM memberships WHERE organisation_id = ?1 AND user_id = ?2", [organisation, user])
            return .done
        }
    }
}
