package import GateCore

/// Who a request is made by. An object that nothing changes: one serves all requests with an access token, and is handed on as it is.
package final class Principal: Sendable {
    package enum Method: String, Sendable {
        /// An access token. A page elsewhere cannot make a browser send it.
        case bearer
        /// The session cookie, which a browser sends by itself: unsafe methods need the CSRF rule.
        case cookie
    }

    package let userID: User.ID
    package let sessionID: Session.ID
    package let method: Method
    /// `jti`; `nil` for a cookie.
    package let tokenID: AccessToken.ID?
    package let email: EmailAddress
    package let isEmailVerified: Bool
    /// What the person is called; `nil` for one who gave no name, and for an access token, which does not say.
    package let name: String?
    /// The organisation that ``roles`` are in; `nil` for a user without one.
    package let organisationID: Organisation.ID?
    /// As of when the access token was issued; as of now for a cookie.
    package let roles: [String]
    /// The end of the access token, or of the session for a cookie.
    package let expiresAt: Timestamp

    package init(
        userID: User.ID, sessionID: Session.ID, method: Method, tokenID: AccessToken.ID?, email: EmailAddress, isEmailVerified: Bool,
        name: String? = nil, organisationID: Organisation.ID?, roles: [String], expiresAt: Timestamp
    ) {
        self.userID = userID
        self.sessionID = sessionID
        self.method = method
        self.tokenID = tokenID
        self.email = email
        self.isEmailVerified = isEmailVerified
        self.name = name
        self.organisationID = organisationID
        self.roles = roles
        self.expiresAt = expiresAt
    }
}

extension Principal {
    /// The same but for the name, as the profile has it.
    package func named(_ name: String?) -> Principal { Principal(self, name: name, organisationID: organisationID, roles: roles) }

    /// The same with what they may in that organisation, by its members as of now.
    package func acting(in organisationID: Organisation.ID, as role: Role) -> Principal {
        Principal(self, name: name, organisationID: organisationID, roles: [role.rawValue])
    }

    private convenience init(_ other: Principal, name: String?, organisationID: Organisation.ID?, roles: [String]) {
        self.init(
            userID: other.userID, sessionID: other.sessionID, method: other.method, tokenID: other.tokenID, email: other.email,
            isEmailVerified: other.isEmailVerified, name: name, organisationID: organisationID, roles: roles, expiresAt: other.expiresAt)
    }

    convenience init(_ token: AccessToken) {
        self.init(
            userID: token.userID, sessionID: token.sessionID, method: .bearer, tokenID: token.id, email: token.email,
            isEmailVerified: token.isEmailVerified, organisationID: token.organisationID, roles: token.roles, expiresAt: token.expiresAt)
    }

    convenience init(_ profile: UserProfile, session: Session.ID, expiresAt: Timestamp) {
        let membership = profile.memberships.first
        self.init(
            userID: profile.user.id, sessionID: session, method: .cookie, tokenID: nil, email: profile.user.email,
            isEmailVerified: profile.user.isEmailVerified, name: profile.user.name, organisationID: membership?.organisation.id,
            roles: membership.map { [$0.role.rawValue] } ?? [], expiresAt: expiresAt)
    }
}
