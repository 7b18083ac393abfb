extension Identity {
    /// Gives a member another role. Owners may do so with everybody, admins with those who are no owners, and nobody is made an
    /// owner by them. Access tokens that were issued before carry the old role until they expire.
    ///
    /// - Throws: `.notFound` where the caller or the user is no member, `.forbidden`, `.lastOwner`; `StorageError`.
    package func changeRole(
        of user: User.ID, to role: Role, in organisation: Organisation.ID, by principal: Principal
    ) async throws {
        let (actor, current) = try await roles(of: principal.userID, and: user, in: organisation)
        guard actor == .owner || (actor == .admin && current != .owner && role != .owner) else { throw IdentityError.forbidden }
        try await finish(try await organisations.setRole(role, of: user, in: organisation, from: current), user)
    }

    /// Ends a membership: of anybody by an owner, of those who are no owners by an admin, and one's own by everybody.
    ///
    /// - Throws: `.notFound` where the caller or the user is no member, `.forbidden`, `.lastOwner`; `StorageError`.
    package func removeMember(_ user: User.ID, from organisation: Organisation.ID, by principal: Principal) async throws {
        let (actor, current) = try await roles(of: principal.userID, and: user, in: organisation)
        guard actor == .owner || user == principal.userID || (actor == .admin && current != .owner) else {
            throw IdentityError.forbidden
        }
        try await finish(try await organisations.removeMember(user, from: organisation, as: current), user)
    }

    private func roles(
        of actor: User.ID, and user: User.ID, in organisation: Organisation.ID
    ) async throws -> (actor: Role, user: Role) {
        guard let first = try await organisations.role(of: actor, in: organisation) else { throw IdentityError.notFound }
        guard let second = try await organisations.role(of: user, in: organisation) else { throw IdentityError.notFound }
        return (first, second)
    }

    private func finish(_ change: MembershipChange, _ user: User.ID) async throws {
        switch change {
        case .done: await forgetProfile(user)
        case .notMember: throw IdentityError.notFound
        case .lastOwner: throw IdentityError.lastOwner
        }
    }
}
