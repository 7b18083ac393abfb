package import GateCore

/// Who a request is made by.
package struct Principal: Hashable, Sendable {
    package enum Method: String, Sendable {
        /// An access token. A page elsewhere cannot make a browser send it.
        case bearer
        /// The session cookie, which a browser sends by itself: unsafe methods need the CSRF rule.
        case cookie
    }

    package var userID: User.ID
    package var sessionID: Session.ID
    package var method: Method
    /// `jti`; `nil` for a cookie.
    package var tokenID: AccessToken.ID?
    package var email: EmailAddress
    package var isEmailVerified: Bool
    /// What the person is called; `nil` for one who gave no name, and for an access token, which does not say.
    package var name: String?
    /// The organisation that ``roles`` are in; `nil` for a user without one.
    package var organisationID: Organisation.ID?
    /// As of when the access token was issued; as of now for a cookie.
    package var roles: [String]
    /// The end of the access token, or of the session for a cookie.
    package var expiresAt: Timestamp

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
    init(_ token: AccessToken) {
        self.init(
            userID: token.userID, sessionID: token.sessionID, method: .bearer, tokenID: token.id, email: token.email,
            isEmailVerified: token.isEmailVerified, organisationID: token.organisationID, roles: token.roles, expiresAt: token.expiresAt)
    }

    init(_ profile: UserProfile, session: Session.ID, expiresAt: Timestamp) {
        let membership = profile.memberships.first
        self.init(
            userID: profile.user.id, sessionID: session, method: .cookie, tokenID: nil, email: profile.user.email,
            isEmailVerified: profile.user.isEmailVerified, name: profile.user.name, organisationID: membership?.organisation.id,
            roles: membership.map { [$0.role.rawValue] } ?? [], expiresAt: expiresAt)
    }
}
