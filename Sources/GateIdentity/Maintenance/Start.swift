extension Identity {
    /// Fills the memory of this process from the database. To be called before the first request (CHECKLIST 10).
    /// - Throws: `StorageError`.
    package func start() async throws {
        for revocation in try await revocationStore.load() { revocations.insert(revocation) }
    }
}
