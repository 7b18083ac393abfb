package import GateCore

/// A group of users: a company, a team, a household.
package struct Organisation: Hashable, Sendable {
    package typealias ID = Identifier<Organisation>

    package var id: ID
    package var name: String
    package var createdAt: Timestamp

    package init(id: ID, name: String, createdAt: Timestamp) {
        self.id = id
        self.name = name
        self.createdAt = createdAt
    }
}

/// That a user belongs to an organisation, seen from the user.
package struct Membership: Hashable, Sendable {
    package var organisation: Organisation
    package var role: Role

    package init(organisation: Organisation, role: Role) {
        self.organisation = organisation
        self.role = role
    }
}

/// That a user belongs to an organisation, seen from the organisation.
package struct Member: Hashable, Sendable {
    package var user: User
    package var role: Role
    package var joinedAt: Timestamp

    package init(user: User, role: Role, joinedAt: Timestamp) {
        self.user = user
        self.role = role
        self.joinedAt = joinedAt
    }
}

/// What a member may do. Each may do what those after it may.
package enum Role: String, CaseIterable, Sendable {
    /// Everything, other owners included. An organisation always has one.
    case owner
    /// Everything but what concerns owners.
    case admin
    case member
}
