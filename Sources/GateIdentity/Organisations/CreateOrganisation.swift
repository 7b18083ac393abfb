import GateCore

extension Identity {
    /// Makes an organisation whose owner the caller becomes.
    /// - Throws: `.invalid`, `.notAuthenticated` where the user was deleted; `StorageError`.
    package func createOrganisation(name: String, by principal: Principal) async throws -> Membership {
        var faults: [FieldFault] = []
        let trimmed = ProfileFields.name(name, field: "name", faults: &faults)
        if trimmed == nil, faults.isEmpty {
            faults.append(FieldFault(field: "name", code: "required", message: "An organisation needs a name."))
        }
        guard let trimmed, faults.isEmpty else { throw IdentityError.invalid(faults) }
        let now = time.now()
        let organisation = Organisation(id: Organisation.ID(at: now, entropy: entropy), name: trimmed, createdAt: now)
        guard try await organisations.insert(organisation, owner: principal.userID, at: now) else { throw IdentityError.notAuthenticated }
        await forgetProfile(principal.userID)
        return Membership(organisation: organisation, role: .owner)
    }
}
