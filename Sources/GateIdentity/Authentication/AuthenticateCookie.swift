import GateCore

extension Identity {
    /// How stale a session's time of last use may get before a request with its cookie writes it anew.
    private static let touchInterval = Duration.seconds(600)

    /// Who presents this session cookie, where memory knows it: `nil` says to ask ``authenticate(cookie:)``.
    package func authenticateInPlace(cookie: String) -> Principal? {
        guard let session = sessionTokens.session(cookieToken: cookie) else { return nil }
        return principalInPlace(of: session)
    }

    /// Who presents this session cookie.
    ///
    /// - Throws: `IdentityError.notAuthenticated` for what is no cookie of ours and for a session that is over; `StorageError` where
    ///   the database could not be asked.
    package func authenticate(cookie: String) async throws -> Principal {
        let named = try await known { sessionTokens.session(cookieToken: cookie) }
        guard let id = named else { throw IdentityError.notAuthenticated }
        if let principal = principalInPlace(of: id) { return principal }
        let now = time.now()
        let session = try await cookies.read(id, at: time.monotonic()) { try await sessions.find(id, at: now) }
        guard let session, !revocations.isRevoked(session: id), let profile = try await profile(session.userID) else {
            throw IdentityError.notAuthenticated
        }
        if now - session.lastUsedAt > Self.touchInterval {
            // A note for the user's list of sessions: a disk that is full must not sign anybody out.
            try? await sessions.touch(id, at: now)
        }
        return Principal(profile, session: id, expiresAt: session.expiresAt)
    }

    private func principalInPlace(of session: Session.ID) -> Principal? {
        guard isMemoryCurrent, let entry = cookies.find(session, at: time.monotonic()), time.now() < entry.expiresAt,
            !revocations.isRevoked(session: session), let profile = profiles.find(entry.userID)
        else { return nil }
        return Principal(profile, session: session, expiresAt: entry.expiresAt)
    }
}
