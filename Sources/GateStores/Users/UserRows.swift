import GateCore
import GateCrypto
import GateIdentity
import GateSQL

/// Users as rows. Every query names the columns in this order: `id, email, email_verified, name, avatar_url, disabled_at, created_at,
/// updated_at`, and then `password_hash` for a credential.
enum UserRows {
    static func user(_ row: borrowing any SQLRow) throws(StorageError) -> User {
        guard let email = EmailAddress(try row.text(1)) else { throw .corrupt(reason: "users.email holds no address") }
        return User(
            id: try row.identifier(0), email: email, isEmailVerified: try row.bool(2), name: try row.optionalText(3),
            avatarURL: try row.optionalText(4), disabledAt: try row.optionalTimestamp(5), createdAt: try row.timestamp(6),
            updatedAt: try row.timestamp(7))
    }

    static func credential(_ row: borrowing any SQLRow) throws(StorageError) -> UserCredential {
        UserCredential(user: try user(row), passwordHash: try row.optionalText(8).map { PasswordHash(text: $0) })
    }

    static func credential(_ id: User.ID, _ connection: any SQLConnection) throws(StorageError) -> UserCredential? {
        try connection.row(
            """
            SELECT id, email, email_verified, name, avatar_url, disabled_at, created_at, updated_at, password_hash
            FROM users WHERE id = ?1
            """, [id], read: credential)
    }

    static func find(_ id: User.ID, _ connection: any SQLConnection) throws(StorageError) -> User? {
        try connection.row(
            """
            SELECT id, email, email_verified, name, avatar_url, disabled_at, created_at, updated_at
            FROM users WHERE id = ?1
            """, [id], read: user)
    }
}
