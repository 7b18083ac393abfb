import GateCore

extension Identity {
    /// Makes a user a member of an organisation: for the operator. Members themselves invite.
    /// - Throws: `.notFound` where there is no such user or organisation, or the user is a member already; `StorageError`.
    package func addMember(_ user: User.ID, as role: Role, to organisation: Organisation.ID) async throws {
        guard try await organisations.insertMember(user, as: role, in: organisation, at: time.now()) else {
            throw IdentityError.notFound
        }
        await forgetProfile(user)
    }
}
