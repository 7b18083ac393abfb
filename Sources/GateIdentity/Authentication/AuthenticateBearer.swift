import GateCore

extension Identity {
    /// Who presents this access token, as far as memory knows: no disk, no other thread. Where ``isMemoryCurrent`` says that it may not be
    /// believed, the answer is to be confirmed by ``confirm(_:)``.
    ///
    /// - Throws: `.tokenExpired`, `.tokenRevoked`, or `.notAuthenticated` for what is no token of ours.
    package func authenticate(bearer token: String) throws(IdentityError) -> Principal {
        let claims = try accessTokens.verify(token, at: time.now())
        guard !revocations.isRevoked(token: claims.id, session: claims.sessionID) else { throw .tokenRevoked }
        return Principal(claims)
    }

    /// Asks the database whether one known by an access token was signed out meanwhile.
    ///
    /// - Throws: `IdentityError.tokenRevoked`; `StorageError` where the database could not be asked.
    package func confirm(_ principal: Principal) async throws {
        var subjects = [Revocation.Subject.session(principal.sessionID)]
        if let token = principal.tokenID { subjects.append(.token(token)) }
        if try await revocationStore.containsAny(of: subjects) { throw IdentityError.tokenRevoked }
    }
}
