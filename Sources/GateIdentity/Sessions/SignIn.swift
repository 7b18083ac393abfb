package import GateCore

/// A session begun or gone on with: all that the client is given.
package struct SignIn: Sendable {
    package var profile: UserProfile
    package var session: Session
    package var accessToken: Secret
    package var accessExpiresIn: Duration
    package var refreshToken: Secret
    package var refreshExpiresIn: Duration
    /// For the session cookie: the same at every refresh, unless the server's key was rotated.
    package var cookieToken: Secret
    package var cookieExpiresIn: Duration
}

extension Identity {
    /// A session that begins now: an id of its own (CHECKLIST 9), and room for a first access token.
    func newSession(of user: User.ID, device: Device, at now: Timestamp) -> Session {
        let end = now + rules.sessionLifetime
        return Session(
            id: Session.ID(at: now, entropy: entropy), userID: user, device: device, createdAt: now, lastUsedAt: now, expiresAt: end,
            accessExpiresAt: min(now + rules.accessTokenLifetime, end))
    }

    /// - Parameter generation: of the refresh token that is given.
    func tokens(for session: Session, of profile: UserProfile, generation: Int64, at now: Timestamp) throws -> SignIn {
        let access = try accessTokens.issue(
            for: profile, session: session, lifetime: rules.accessTokenLifetime, at: now, entropy: entropy)
        let rest = session.expiresAt - now
        return SignIn(
            profile: profile, session: session,
            accessToken: access.token, accessExpiresIn: access.claims.expiresAt - access.claims.issuedAt,
            refreshToken: sessionTokens.refreshToken(for: session.id, generation: generation), refreshExpiresIn: rest,
            cookieToken: sessionTokens.cookieToken(for: session.id), cookieExpiresIn: rest)
    }

    /// Lets the memory of this process and the other instances know that sessions are over. They are so in the database already.
    func forget(_ ended: [EndedSession]) async {
        let ended = ended.map { Revocation(subject: .session($0.id), expiresAt: $0.accessExpiresAt) }
        for revocation in ended { remember(revocation) }
        await announce(ended.map(IdentityChange.revoked))
    }
}
