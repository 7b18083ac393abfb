import GateCore

extension Identity {
    /// Changes the user's name and avatar; see ``UserChanges`` for what `nil` means. A name of spaces is none.
    /// - Throws: `.invalid`, `.notAuthenticated` where the user was deleted; `StorageError`.
    package func updateProfile(_ principal: Principal, name: String??, avatarURL: String??) async throws -> UserProfile {
        var faults: [FieldFault] = []
        var changes = UserChanges()
        if let name { changes.name = .some(ProfileFields.name(name, field: "name", faults: &faults)) }
        if let avatarURL { changes.avatarURL = .some(ProfileFields.avatarURL(avatarURL, faults: &faults)) }
        guard faults.isEmpty else { throw IdentityError.invalid(faults) }
        guard try await users.update(principal.userID, changes, at: time.now()) != nil else { throw IdentityError.notAuthenticated }
        await forgetProfile(principal.userID)
        return try await profile(of: principal)
    }
}
