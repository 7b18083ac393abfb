import GateCore
package import GateHTTP

/// What the directory of an ACME authority says (RFC 8555 §7.1.1), as far as an operator needs to know it.
package struct AuthorityFacts: Sendable {
    package var url: HTTPURL
    package var outcome: Result<Directory, OutgoingError>
    /// The wall clock here less the answer's `Date`.
    package var clockDifference: Duration?

    package struct Directory: Hashable, Sendable {
        package var status: Int
        /// Whether it is an ACME directory at all.
        package var isDirectory: Bool
        package var termsOfService: String?
        package var caaIdentities: [String]
        package var needsExternalAccount: Bool
        package var profiles: [String]

        package init(
            status: Int = 200, isDirectory: Bool = true, termsOfService: String? = nil, caaIdentities: [String] = [],
            needsExternalAccount: Bool = false, profiles: [String] = []
        ) {
            self.status = status
            self.isDirectory = isDirectory
            self.termsOfService = termsOfService
            self.caaIdentities = caaIdentities
            self.needsExternalAccount = needsExternalAccount
            self.profiles = profiles
        }
    }

    package init(url: HTTPURL, outcome: Result<Directory, OutgoingError>, clockDifference: Duration? = nil) {
        self.url = url
        self.outcome = outcome
        self.clockDifference = clockDifference
    }

    package var directory: Directory? { try? outcome.get() }
}
