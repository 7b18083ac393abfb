import GateSQL

/// A table as it is carried from one database to another: all of its columns, in pages by its key.
struct TransferredTable: Sendable {
    let name: String
    /// Of the first columns, which are the key.
    let keyColumns: Int
    /// What is smaller than every key.
    let beforeAll: [SQLValue]
    /// The rows after the key given, in its order; the last parameter is how many at most.
    let page: StaticString
    let insert: StaticString
    let isThere: StaticString
    let clear: StaticString

    /// Those that others refer to first.
    static let all = [
        TransferredTable(
            name: "users", keyColumns: 1, beforeAll: [.text("")],
            page: """
                SELECT id, email, email_verified, name, avatar_url, password_hash, disabled_at, created_at, updated_at
                FROM users WHERE id > ?1 ORDER BY id LIMIT ?2
                """,
            insert: """
                INSERT INTO users (id, email, email_verified, name, avatar_url, password_hash, disabled_at, created_at, updated_at)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                """, isThere: "SELECT 1 FROM users LIMIT 1", clear: "DELETE FROM users"),
        TransferredTable(
            name: "organisations", keyColumns: 1, beforeAll: [.text("")],
            page: "SELECT id, name, created_at FROM organisations WHERE id > ?1 ORDER BY id LIMIT ?2",
            insert: "INSERT INTO organisations (id, name, created_at) VALUES (?1, ?2, ?3)",
            isThere: "SELECT 1 FROM organisations LIMIT 1", clear: "DELETE FROM organisations"),
        TransferredTable(
            name: "memberships", keyColumns: 2, beforeAll: [.text(""), .text("")],
            page: """
                SELECT organisation_id, user_id, role, joined_at FROM memberships
                WHERE (organisation_id, user_id) > (?1, ?2) ORDER BY organisation_id, user_id LIMIT ?3
                """,
            insert: "INSERT INTO memberships (organisation_id, user_id, role, joined_at) VALUES (?1, ?2, ?3, ?4)",
            isThere: "SELECT 1 FROM memberships LIMIT 1", clear: "DELETE FROM memberships"),
        TransferredTable(
            name: "sessions", keyColumns: 1, beforeAll: [.text("")],
            page: """
                SELECT id, user_id, user_agent, address, created_at, last_used_at, expires_at, access_expires_at, refresh_generation,
                       refreshed_at
                FROM sessions WHERE id > ?1 ORDER BY id LIMIT ?2
                """,
            insert: """
                INSERT INTO sessions (id, user_id, user_agent, address, created_at, last_used_at, expires_at, access_expires_at,
                                      refresh_generation, refreshed_at)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
                """, isThere: "SELECT 1 FROM sessions LIMIT 1", clear: "DELETE FROM sessions"),
        TransferredTable(
            name: "revocations", keyColumns: 2, beforeAll: [.text(""), .text("")],
            page: """
                SELECT kind, id, expires_at FROM revocations WHERE (kind, id) > (?1, ?2) ORDER BY kind, id LIMIT ?3
                """,
            insert: "INSERT INTO revocations (kind, id, expires_at) VALUES (?1, ?2, ?3)",
            isThere: "SELECT 1 FROM revocations LIMIT 1", clear: "DELETE FROM revocations"),
        TransferredTable(
            name: "login_failures", keyColumns: 2, beforeAll: [.text(""), .integer(.min)],
            page: """
                SELECT network, account, count, last_at FROM login_failures
                WHERE (network, account) > (?1, ?2) ORDER BY network, account LIMIT ?3
                """,
            insert: "INSERT INTO login_failures (network, account, count, last_at) VALUES (?1, ?2, ?3, ?4)",
            isThere: "SELECT 1 FROM login_failures LIMIT 1", clear: "DELETE FROM login_failures"),
    ]

    /// The names of the columns, as ``page`` has them.
    var columns: [String] {
        let list = "\(page)".split(separator: "FROM").first ?? ""
        return list.dropFirst("SELECT ".count).split { ", \n".contains($0) }.map(String.init)
    }
}
