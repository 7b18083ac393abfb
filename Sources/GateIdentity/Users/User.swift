package import GateCore
package import GateCrypto

/// A person with an account.
package struct User: Hashable, Sendable {
    package typealias ID = Identifier<User>

    package var id: ID
    package var email: EmailAddress
    package var isEmailVerified: Bool
    package var name: String?
    package var avatarURL: String?
    /// Since when the account may not be used; `nil` while it may.
    package var disabledAt: Timestamp?
    package var createdAt: Timestamp
    package var updatedAt: Timestamp

    package init(
        id: ID, email: EmailAddress, isEmailVerified: Bool = false, name: String? = nil, avatarURL: String? = nil,
        disabledAt: Timestamp? = nil, createdAt: Timestamp, updatedAt: Timestamp
    ) {
        self.id = id
        self.email = email
        self.isEmailVerified = isEmailVerified
        self.name = name
        self.avatarURL = avatarURL
        self.disabledAt = disabledAt
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

/// A user with what the user belongs to: what `me` tells, and what tokens are made from.
package struct UserProfile: Hashable, Sendable {
    package var user: User
    /// Oldest first; the first is the one that tokens name.
    package var memberships: [Membership]

    package init(user: User, memberships: [Membership]) {
        self.user = user
        self.memberships = memberships
    }
}

/// A user with the hash that a password is checked against; `nil` for one who has no password.
package struct UserCredential: Sendable {
    package var user: User
    package var passwordHash: PasswordHash?

    package init(user: User, passwordHash: PasswordHash?) {
        self.user = user
        self.passwordHash = passwordHash
    }
}
