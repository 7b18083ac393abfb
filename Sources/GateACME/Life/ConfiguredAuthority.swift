package import GateHTTP

/// An authority that may be asked for certificates, and how.
package struct ConfiguredAuthority: Sendable {
    package let production: any CertificateAuthority
    /// Where a first order is rehearsed after a failure, so that it is not production's limits that are used up.
    package let rehearsal: (any CertificateAuthority)?
    /// `mailto:` URLs.
    package let contact: [String]
    package let externalAccount: ACMEAccount.ExternalAccount?
    package let profile: String?
    package let preferredChain: String?
    package let challenges: [ChallengeKind]

    package init(
        production: any CertificateAuthority, rehearsal: (any CertificateAuthority)? = nil, contact: [String] = [],
        externalAccount: ACMEAccount.ExternalAccount? = nil, profile: String? = nil, preferredChain: String? = nil,
        challenges: [ChallengeKind] = [.http01, .tlsALPN01]
    ) {
        self.production = production
        self.rehearsal = rehearsal
        self.contact = contact
        self.externalAccount = externalAccount
        self.profile = profile
        self.preferredChain = preferredChain
        self.challenges = challenges
    }

    /// What the authority is known by in files and in ``CertificateStatus``.
    package var directory: String { production.directoryURL.description }
}

/// What is known of public authorities.
package enum KnownAuthorities {
    package static let letsEncrypt = "https://acme-v02.api.letsencrypt.org/directory"

    /// The directory for trials of the authority with this directory; `nil` where none is known.
    package static func rehearsalDirectory(for directory: HTTPURL) -> HTTPURL? {
        directory.description == letsEncrypt ? HTTPURL("https://acme-staging-v02.api.letsencrypt.org/directory") : nil
    }
}
