extension Identity {
    /// Ends the session. Its access tokens, its refresh tokens and its cookie are dead when this returns (CHECKLIST 4).
    ///
    /// - Throws: `StorageError`; then nothing is ended.
    package func signOut(_ principal: Principal) async throws {
        let ended = try await sessions.end(.own(principal.sessionID, of: principal.userID))
        await forget(ended)
        // The session was gone already, perhaps with a database restored from before it: its token need not outlive this.
        if ended.isEmpty, let token = principal.tokenID {
            let revocation = Revocation(subject: .token(token), expiresAt: principal.expiresAt)
            try await revocationStore.insert(revocation)
            remember(revocation)
            await announce([.revoked(revocation)])
        }
    }
}
