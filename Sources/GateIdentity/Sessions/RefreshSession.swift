package import GateCore

extension Identity {
    /// Exchanges a refresh token for a new pair of tokens.
    ///
    /// A token presented again within the grace time gives the same successor; later it ends the session and revokes its access
    /// tokens: either the one who comes first or the one who comes second stole it (CHECKLIST 1, 2).
    ///
    /// - Throws: `.notAuthenticated` for what is no refresh token of ours and for a session that is over, `.tokenRevoked` for a
    ///   token used before; `StorageError`.
    package func refresh(token: Secret, device: Device) async throws -> SignIn {
        let named = try await known { sessionTokens.generation(refreshToken: token) }
        guard let presented = named else { throw IdentityError.notAuthenticated }
        let now = time.now()
        let outcome = try await sessions.rotate(
            RefreshRotation(
                session: presented.session, generation: presented.generation, device: device, now: now, grace: rules.refreshGrace,
                accessLifetime: rules.accessTokenLifetime))
        switch outcome {
        case .rotated(let session):
            guard let profile = try await profile(session.userID) else { throw IdentityError.notAuthenticated }
            return try tokens(for: session, of: profile, generation: presented.generation + 1, at: now)
        case .reused(let ended):
            await forget([ended])
            throw IdentityError.tokenRevoked
        case .unknown:
            throw IdentityError.notAuthenticated
        }
    }

    /// Gives one who is known by the session cookie an access token, with the session's refresh token as it stands: the cookie
    /// itself is not used up, so there is nothing to rotate.
    ///
    /// - Throws: `.notAuthenticated` where the session is over; `StorageError`.
    package func refresh(_ principal: Principal) async throws -> SignIn {
        let now = time.now()
        let session = try await sessions.extendAccess(principal.sessionID, until: now + rules.accessTokenLifetime, at: now)
        guard let session, session.userID == principal.userID, let profile = try await profile(session.userID) else {
            throw IdentityError.notAuthenticated
        }
        return try tokens(for: session, of: profile, generation: session.refreshGeneration, at: now)
    }
}
