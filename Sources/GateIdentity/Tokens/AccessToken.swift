package import GateCore

/// The claims of an access token (RFC 9068). Times are whole seconds, as in the token.
package struct AccessToken: Hashable, Sendable {
    package typealias ID = Identifier<AccessToken>

    /// `jti`
    package var id: ID
    /// `sub`
    package var userID: User.ID
    /// `sid`
    package var sessionID: Session.ID
    package var issuedAt: Timestamp
    /// The later of `iat` and `nbf`.
    package var notBefore: Timestamp
    package var expiresAt: Timestamp
    package var email: EmailAddress
    package var isEmailVerified: Bool
    /// `org`: the organisation that ``roles`` are in; `nil` for a user without one.
    package var organisationID: Organisation.ID?
    package var roles: [String]
}
