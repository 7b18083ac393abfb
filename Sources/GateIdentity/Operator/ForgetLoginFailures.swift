extension Identity {
    /// Lets those in again whose log-ins failed too often.
    /// - Returns: how many pairs of network and address were forgotten.
    package func forgetLoginFailures(_ selection: LoginFailureSelection) async throws -> Int { try await loginFailures.clear(selection) }
}
