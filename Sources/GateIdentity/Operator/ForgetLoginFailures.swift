extension Identity {
    /// A number for an address that nobody without the server's key can tell the address from: what limits count log-ins by.
    package func accountHash(_ email: EmailAddress) -> UInt64 { sessionTokens.pseudonym(of: email) }

    /// Lets those in again whose log-ins failed too often.
    /// - Returns: how many pairs of network and address were forgotten.
    package func forgetLoginFailures(_ selection: LoginFailureSelection) async throws -> Int { try await loginFailures.clear(selection) }
}
