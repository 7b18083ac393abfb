/// Who may issue, and how (RFC 8659 §4.2 and §4.3, RFC 8657).
package struct CAAIssuer: Hashable, Sendable {
    /// In lower case; `nil`: nobody.
    package let domain: String?
    /// `validationmethods`: those that may be used; `nil`: any.
    package let validationMethods: [String]?
    /// `accounturi`: the account that may ask; `nil`: any.
    package let accountURI: String?

    /// Reads the value of an `issue` or `issuewild` record. One that does not follow the grammar forbids every authority.
    package init(value: String) {
        let parts = value.split(separator: ";", omittingEmptySubsequences: false).map { $0.trimmed }
        var parameters: [String: String] = [:]
        var isSound = DNSName(parts[0]) != nil
        for (index, part) in parts.enumerated().dropFirst() where !part.isEmpty || index < parts.count - 1 {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { $0.trimmed }
            isSound = isSound && pair.count == 2 && !pair[0].isEmpty && pair[1].utf8.allSatisfy { (0x21...0x7E).contains($0) }
            // RFC 8657 §3: a parameter that stands twice cannot be met.
            if let name = pair.first?.lowercased(), pair.count == 2, parameters.updateValue(pair[1], forKey: name) != nil {
                isSound = false
            }
        }
        domain = isSound ? parts[0].lowercased() : nil
        validationMethods = parameters["validationmethods"]?.split(separator: ",").map { $0.trimmed }
        accountURI = parameters["accounturi"]
    }
}

extension CAASet {
    /// Whether an authority may issue for a name.
    package enum Permission: Hashable, Sendable {
        /// No record stands against it.
        case unrestricted
        case granted
        /// Only others may; empty: nobody.
        case others([String])
        /// The authority may, though not by these means.
        case otherMethods([String])
        case otherAccount(String)
        /// A critical record that authorities do not know forbids all of them (RFC 8659 §4.1).
        case criticalUnknown(tag: String)
    }

    /// - Parameters:
    ///   - identities: the domains by which the authority calls itself, `caaIdentities` of an ACME directory (RFC 8555 §7.1.1).
    ///   - methods: the challenges that could be used, `http-01` for one.
    ///   - account: the URI of the account that asks; `nil` where it is not known: then any is taken to be right.
    package func permission(for identities: [String], isWildcard: Bool, methods: [String], account: String?) -> Permission {
        if let unknown = records.first(where: { $0.isCritical && !Self.knownTags.contains($0.tag) }) {
            return .criticalUnknown(tag: unknown.tag)
        }
        let wild = records.filter { $0.tag == "issuewild" }
        let relevant = isWildcard && !wild.isEmpty ? wild : records.filter { $0.tag == "issue" }
        guard !relevant.isEmpty else { return .unrestricted }
        let issuers = relevant.map { CAAIssuer(value: $0.value) }
        let ours = issuers.filter { issuer in issuer.domain.map { domain in identities.contains { $0.lowercased() == domain } } ?? false }
        guard !ours.isEmpty else { return .others(issuers.compactMap(\.domain)) }
        let byMethod = ours.filter { issuer in issuer.validationMethods.map { !Set($0).isDisjoint(with: methods) } ?? true }
        guard !byMethod.isEmpty else { return .otherMethods(ours.flatMap { $0.validationMethods ?? [] }) }
        guard let account else { return .granted }
        if byMethod.contains(where: { $0.accountURI == nil || $0.accountURI == account }) { return .granted }
        return .otherAccount(byMethod.compactMap(\.accountURI).joined(separator: ", "))
    }

    private static let knownTags: Set = ["issue", "issuewild", "iodef", "contactemail", "contactphone", "issuemail", "issuevmc"]
}

extension Substring {
    /// Without blanks and tabs at either end.
    fileprivate var trimmed: String {
        let blanks: Set<Character> = [" ", "\t"]
        return String(String(drop { blanks.contains($0) }.reversed()).drop { blanks.contains($0) }.reversed())
    }
}
