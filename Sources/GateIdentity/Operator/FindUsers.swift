import GateCore

extension Identity {
    /// The user of an address, or of an id.
    /// - Throws: `.notFound`; `StorageError`.
    package func findUser(_ emailOrID: String) async throws -> UserProfile {
        var id = User.ID(emailOrID)
        if id == nil, let address = EmailAddress(emailOrID) { id = try await users.credential(email: address)?.user.id }
        guard let id, let profile = try await users.profile(id) else { throw IdentityError.notFound }
        return profile
    }

    /// Users in the order of their creation, after the user `after`, `limit` at most.
    package func listUsers(after: User.ID? = nil, limit: Int = 100) async throws -> [User] {
        try await users.list(after: after, limit: limit)
    }
}
