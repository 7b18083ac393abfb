import GateCore

extension Identity {
    /// Who presents this access token. Asks memory only: no disk, no other thread.
    ///
    /// - Throws: `.tokenExpired`, `.tokenRevoked`, or `.notAuthenticated` for what is no token of ours.
    package func authenticate(bearer token: String) throws(IdentityError) -> Principal {
        let claims = try accessTokens.verify(token, at: time.now())
        guard !revocations.isRevoked(token: claims.id, session: claims.sessionID) else { throw .tokenRevoked }
        return Principal(claims)
    }
}
