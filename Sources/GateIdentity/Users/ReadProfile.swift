extension Identity {
    /// The user's profile where memory has it: `nil` says to ask ``profile(of:)``.
    package func profileInPlace(of principal: Principal) -> UserProfile? {
        isMemoryCurrent ? profiles.find(principal.userID) : nil
    }

    /// The user's profile.
    /// - Throws: `.notAuthenticated` where the user was deleted; `StorageError`.
    package func profile(of principal: Principal) async throws -> UserProfile {
        guard let profile = try await profile(principal.userID) else { throw IdentityError.notAuthenticated }
        return profile
    }

    func profile(_ id: User.ID) async throws -> UserProfile? {
        guard isMemoryCurrent else { return try await users.profile(id) }
        return try await profiles.find(id) { try await users.profile(id) }
    }
}
