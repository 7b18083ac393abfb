extension CertificateStore {
    /// Adds all records of another store that this one has none of: those of an installation that kept them elsewhere before. Again, it
    /// changes nothing.
    ///
    /// - Returns: how many were added.
    package func addAll(of other: some CertificateStore) async throws(StoreFailure) -> Int {
        var count = 0
        for kind in CertificateRecord.Kind.allCases {
            for key in try await other.keys(of: kind) {
                let record = CertificateRecord(kind, key: key)
                guard let content = try await other.load(record) else { continue }
                if try await add(content, as: record) { count += 1 }
            }
        }
        return count
    }
}
