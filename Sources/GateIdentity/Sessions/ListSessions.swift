import GateCore

extension Identity {
    /// The live sessions of the user, the last used first.
    package func listSessions(_ principal: Principal) async throws -> [Session] { try await listSessions(of: principal.userID) }

    /// The live sessions of any user: for the operator.
    package func listSessions(of user: User.ID) async throws -> [Session] { try await sessions.list(user: user, at: time.now()) }
}
