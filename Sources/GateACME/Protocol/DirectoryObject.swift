import GateCore
package import GateHTTP

/// Where the authority takes which request (RFC 8555 §7.1.1).
package struct DirectoryObject: Hashable, Sendable {
    package let newNonce: HTTPURL
    package let newAccount: HTTPURL
    package let newOrder: HTTPURL
    /// The RFC demands this and the next, but not everybody offers them, and issuing needs neither.
    package let revokeCert: HTTPURL?
    package let keyChange: HTTPURL?
    /// RFC 9773 §4.1; without it the authority has no ARI.
    package let renewalInfo: HTTPURL?
    package let meta: Meta

    /// RFC 8555 §9.7.6.
    package struct Meta: Hashable, Sendable {
        package let termsOfService: String?
        package let website: String?
        /// The names that a CAA record may hold to allow this authority (RFC 8659).
        package let caaIdentities: [String]
        package let externalAccountRequired: Bool
        /// Names of profiles, and what each is (draft-ietf-acme-profiles §3).
        package let profiles: [String: String]
    }

    package init(parsing bytes: [UInt8]) throws(MalformedAnswer) {
        let reader = try ObjectReader("directory", parsing: bytes)
        newNonce = try reader.url("newNonce")
        newAccount = try reader.url("newAccount")
        newOrder = try reader.url("newOrder")
        revokeCert = try reader.optionalURL("revokeCert")
        keyChange = try reader.optionalURL("keyChange")
        renewalInfo = try reader.optionalURL("renewalInfo")
        let meta = try reader.object("meta")
        self.meta = Meta(
            termsOfService: try meta?.optionalText("termsOfService"), website: try meta?.optionalText("website"),
            caaIdentities: try meta?.optional("caaIdentities", "array") { $0.array?.compactMap(\.string) } ?? [],
            externalAccountRequired: try meta?.optionalBool("externalAccountRequired") ?? false,
            profiles: try meta?.optional("profiles", "object") { profiles in
                profiles.members.map { members in
                    Dictionary(members.map { ($0.name, $0.value.string ?? "") }, uniquingKeysWith: { first, _ in first })
                }
            } ?? [:])
    }
}
