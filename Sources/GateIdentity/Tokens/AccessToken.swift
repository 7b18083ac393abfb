package import GateCore

/// The claims of an access token (RFC 9068).
package struct AccessToken: Hashable, Sendable {
    package typealias ID = Identifier<AccessToken>

    /// `jti`
    package var id: ID
    /// `sub`
    package var userID: User.ID
    /// `sid`
    package var sessionID: Session.ID
    package var issuedAt: Timestamp
    package var expiresAt: Timestamp
    package var email: EmailAddress
    package var isEmailVerified: Bool
    /// `org`: the organisation that ``roles`` are in; `nil` for a user without one.
    package var organisationID: Organisation.ID?
    package var roles: [String]

    package init(
        id: ID, userID: User.ID, sessionID: Session.ID, issuedAt: Timestamp, expiresAt: Timestamp, email: EmailAddress,
        isEmailVerified: Bool, organisationID: Organisation.ID?, roles: [String]
    ) {
        self.id = id
        self.userID = userID
        self.sessionID = sessionID
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.email = email
        self.isEmailVerified = isEmailVerified
        self.organisationID = organisationID
        self.roles = roles
    }
}
