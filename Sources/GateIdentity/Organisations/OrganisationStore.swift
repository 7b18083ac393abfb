package import GateCore

/// Where organisations and memberships are kept.
///
/// Every method throws `StorageError` and nothing else. Each is atomic, and what changes something returns when the change is durable.
package protocol OrganisationStore: Sendable {
    /// Adds an organisation with its first owner.
    /// - Returns: `false` where there is no such user.
    func insert(_ organisation: Organisation, owner: User.ID, at now: Timestamp) async throws -> Bool

    func find(_ id: Organisation.ID) async throws -> Organisation?

    /// The role of a user in an organisation; `nil` for one who is no member.
    func role(of user: User.ID, in organisation: Organisation.ID) async throws -> Role?

    /// Members in the order of their joining.
    func members(of organisation: Organisation.ID) async throws -> [Member]

    /// Adds a member.
    /// - Returns: `false` where there is no such user or organisation, or the user is a member already, in whatever role.
    func insertMember(_ user: User.ID, as role: Role, in organisation: Organisation.ID, at now: Timestamp) async throws -> Bool

    /// Gives a member another role, if it is still `current`: the right to do so was judged by that.
    func setRole(
        _ role: Role, of user: User.ID, in organisation: Organisation.ID, from current: Role
    ) async throws -> MembershipChange

    /// Ends a membership, if its role is still `current`.
    func removeMember(_ user: User.ID, from organisation: Organisation.ID, as current: Role) async throws -> MembershipChange
}

package enum MembershipChange: Hashable, Sendable {
    case done
    /// The user is no member, or not with the role expected.
    case notMember
    /// It would have left the organisation without an owner; nothing is changed.
    case lastOwner
}
