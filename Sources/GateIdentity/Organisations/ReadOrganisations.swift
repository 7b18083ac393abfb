extension Identity {
    /// The organisations that the caller belongs to, oldest membership first.
    package func listOrganisations(_ principal: Principal) async throws -> [Membership] { try await profile(of: principal).memberships }

    /// An organisation with the caller's role in it.
    /// - Throws: `.notFound` where the caller is no member, whether there is one or not; `StorageError`.
    package func organisation(_ id: Organisation.ID, for principal: Principal) async throws -> Membership {
        guard let role = try await organisations.role(of: principal.userID, in: id), let found = try await organisations.find(id) else {
            throw IdentityError.notFound
        }
        return Membership(organisation: found, role: role)
    }

    /// Its members in the order of their joining.
    /// - Throws: `.notFound` where the caller is no member; `StorageError`.
    package func members(of id: Organisation.ID, for principal: Principal) async throws -> [Member] {
        _ = try await organisation(id, for: principal)
        return try await organisations.members(of: id)
    }
}
