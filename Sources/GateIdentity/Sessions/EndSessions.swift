extension Identity {
    /// Ends one of the user's own sessions, the current one too.
    /// - Throws: `.notFound`, for the session of another as well; `StorageError`.
    package func endSession(_ id: Session.ID, by principal: Principal) async throws {
        guard try await endSessions(.own(id, of: principal.userID)) > 0 else { throw IdentityError.notFound }
    }

    /// Ends the user's sessions but the current one.
    /// - Returns: how many.
    @discardableResult
    package func endOtherSessions(_ principal: Principal) async throws -> Int {
        try await endSessions(.others(than: principal.sessionID, of: principal.userID))
    }

    /// Ends any sessions: for the operator.
    /// - Returns: how many.
    @discardableResult
    package func endSessions(_ selection: SessionSelection) async throws -> Int {
        let ended = try await sessions.end(selection)
        await forget(ended)
        return ended.count
    }
}
