/// The CAA records that hold for a name (RFC 8659 §3).
package struct CAASet: Hashable, Sendable {
    /// Where they were found; `nil`: nowhere, so any authority may issue.
    package var domain: DNSName?
    package var records: [CAARecord]

    package init(domain: DNSName?, records: [CAARecord]) {
        self.domain = domain
        self.records = records
    }
}

extension DNSClient {
    /// Climbs from `name` towards the root until a name has CAA records. A wildcard's are those of the name below the `*`.
    ///
    /// - Throws: ``DNSError`` where any name on the way has no answer: an authority must not issue then either.
    package func relevantCAA(for name: DNSName) async throws(DNSError) -> CAASet {
        var domain = name.isWildcard ? name.parent : name
        while let current = domain, !current.labels.isEmpty {
            let records = try await records(.caa, of: current).records.compactMap(\.caa)
            if !records.isEmpty { return CAASet(domain: current, records: records) }
            domain = current.parent
        }
        return CAASet(domain: nil, records: [])
    }
}
