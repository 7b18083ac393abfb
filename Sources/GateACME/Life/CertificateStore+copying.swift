package import GateCore

extension CertificateStore {
    /// Adds all records of another store that this one has none of: those of an installation that kept them elsewhere before. Again, it
    /// changes nothing.
    ///
    /// - Returns: how many were added.
    package func addAll(of other: some CertificateStore) async throws(StoreFailure) -> Int {
        var count = 0
        for (record, content) in try await other.all() { if try await add(content, as: record) { count += 1 } }
        return count
    }

    /// - Throws: where any record cannot be read.
    package func all() async throws(StoreFailure) -> [(record: CertificateRecord, content: Secret)] {
        var all: [(record: CertificateRecord, content: Secret)] = []
        for kind in CertificateRecord.Kind.allCases {
            for key in try await keys(of: kind) {
                let record = CertificateRecord(kind, key: key)
                if let content = try await load(record) { all.append((record, content)) }
            }
        }
        return all
    }
}
