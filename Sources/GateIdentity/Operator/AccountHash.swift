extension Identity {
    /// A number for an address that nobody without the server's key can tell the address from: what limits count log-ins by.
    package func accountHash(_ email: EmailAddress) -> UInt64 { sessionTokens.pseudonym(of: email) }
}
