import GateCore
import GateIdentity
import GateSQL

/// Organisations and memberships as rows.
enum OrganisationRows {
    /// Reads the columns `id, name, created_at` from `column` on.
    static func organisation(_ row: borrowing any SQLRow, from column: Int) throws(StorageError) -> Organisation {
        Organisation(id: try row.identifier(column), name: try row.text(column + 1), createdAt: try row.timestamp(column + 2))
    }

    static func role(_ row: borrowing any SQLRow, _ column: Int) throws(StorageError) -> Role {
        guard let role = Role(rawValue: try row.text(column)) else { throw .corrupt(reason: "memberships.role holds no role") }
        return role
    }

    static func find(_ id: Organisation.ID, _ connection: any SQLConnection) throws(StorageError) -> Organisation? {
        try connection.row("SELECT id, name, created_at FROM organisations WHERE id = ?1", [id]) { row throws(StorageError) in
            try organisation(row, from: 0)
        }
    }

    static func insert(
        _ organisation: Organisation, owner: User.ID, at now: Timestamp, _ connection: any SQLConnection
    ) throws(StorageError) {
        try connection.execute(
            "INSERT INTO organisations (id, name, created_at) VALUES (?1, ?2, ?3)",
            [organisation.id, organisation.name, organisation.createdAt])
        try connection.execute(
            "INSERT INTO memberships (organisation_id, user_id, role, joined_at) VALUES (?1, ?2, ?3, ?4)",
            [organisation.id, owner, Role.owner.rawValue, now])
    }

    static func role(
        of user: User.ID, in organisation: Organisation.ID, _ connection: any SQLConnection
    ) throws(StorageError) -> Role? {
        try connection.row(
            "SELECT role FROM memberships WHERE organisation_id = ?1 AND user_id = ?2", [organisation, user]
        ) { row throws(StorageError) in try role(row, 0) }
    }

    /// Whether somebody else owns the organisation.
    static func hasOwner(
        _ organisation: Organisation.ID, besides user: User.ID, _ connection: any SQLConnection
    ) throws(StorageError) -> Bool {
        try connection.row(
            "SELECT 1 FROM memberships WHERE organisation_id = ?1 AND user_id <> ?2 AND role = 'owner' LIMIT 1", [organisation, user]
        ) { _ throws(StorageError) in true } ?? false
    }

    /// After a member has gone: deletes an organisation without members, and finds an owner for one without.
    static func settle(_ organisation: Organisation.ID, _ connection: any SQLConnection) throws(StorageError) {
        try connection.execute(
            """
            DELETE FROM organisations WHERE id = ?1
            AND NOT EXISTS (SELECT 1 FROM memberships WHERE organisation_id = ?1)
            """, [organisation])
        try connection.execute(
            """
            UPDATE memberships SET role = 'owner'
            WHERE organisation_id = ?1
            AND NOT EXISTS (SELECT 1 FROM memberships WHERE organisation_id = ?1 AND role = 'owner')
            AND user_id = (
                SELECT user_id FROM memberships WHERE organisation_id = ?1
                ORDER BY CASE role WHEN 'admin' THEN 0 ELSE 1 END, joined_at, user_id LIMIT 1
            )
            """, [organisation])
    }
}
