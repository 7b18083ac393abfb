import GateCore

extension Identity {
    /// Who presents this access token, as far as memory knows: no disk, no other thread. Where ``isMemoryCurrent`` says that it may not be
    /// believed, the answer is to be confirmed by ``confirm(_:)``.
    ///
    /// - Parameter token: its text.
    /// - Throws: `.tokenExpired`, `.tokenRevoked`, or `.notAuthenticated` for what is no token of ours.
    package func authenticate(bearer token: Span<UInt8>) throws(IdentityError) -> Principal {
        let verified = try accessTokens.verify(token, at: time.now())
        guard !revocations.isRevoked(token: verified.claims.id, session: verified.claims.sessionID) else { throw .tokenRevoked }
        return verified.principal
    }

    package func authenticate(bearer token: String) throws(IdentityError) -> Principal { try authenticate(bearer: token.utf8.span) }

    /// Asks the database whether one known by an access token was signed out meanwhile.
    ///
    /// - Throws: `IdentityError.tokenRevoked`; `StorageError` where the database could not be asked.
    package func confirm(_ principal: Principal) async throws {
        var subjects = [Revocation.Subject.session(principal.sessionID)]
        if let token = principal.tokenID { subjects.append(.token(token)) }
        if try await revocationStore.containsAny(of: subjects) { throw IdentityError.tokenRevoked }
    }

    /// The same of a token that ``authenticate(bearer:)`` did not know while ``isMemoryCurrent`` was not so: another instance may have made
    /// new keys.
    ///
    /// - Throws: `IdentityError`; `StorageError` where the database could not be asked.
    package func authenticateAgain(bearer token: String) async throws -> Principal {
        try await refreshKeys()
        let principal = try authenticate(bearer: token)
        try await confirm(principal)
        return principal
    }

    /// What `read` finds with the keys that are there; if that is nothing, with those that other instances have made, where this one may not
    /// have heard of them. (Keys that make something have been told of for longer than ``MemoryLease/length``.)
    func known<Token>(_ read: () -> Token?) async throws -> Token? {
        if let token = read() { return token }
        guard !isMemoryCurrent else { return nil }
        try await refreshKeys()
        return read()
    }
}
