import GateACME
import GateCore
import GateHTTP
import Logging

/// The authorities that the configuration names.
struct Authorities {
    let first: ConfiguredAuthority
    let fallbacks: [ConfiguredAuthority]

    /// - Parameter client: what speaks with the authority at a directory.
    init(_ acme: Configuration.ACME, client: (HTTPURL) -> any CertificateAuthority) {
        let contact = acme.email.map { ["mailto:\($0)"] } ?? []
        let challenges = acme.challenges.map(\.kind)
        func authority(
            _ directory: HTTPURL, rehearsal: HTTPURL?, _ account: Configuration.ACME.ExternalAccount, profile: String?
        ) -> ConfiguredAuthority {
            ConfiguredAuthority(
                production: client(directory), rehearsal: rehearsal.map(client), contact: contact,
                externalAccount: account.credentials, profile: profile, preferredChain: acme.preferredChain, challenges: challenges)
        }
        first = authority(acme.directory, rehearsal: acme.stagingDirectory, acme.externalAccount, profile: acme.profile)
        // Profiles are each authority's own.
        fallbacks = acme.fallbackDirectory.map { [authority($0, rehearsal: nil, acme.fallbackExternalAccount, profile: nil)] } ?? []
    }
}

/// An authority that nothing is asked of: for those who only read what is stored.
struct SilentAuthority: CertificateAuthority {
    let directoryURL: HTTPURL

    func obtain(
        _ plan: CertificateRequestPlan, account: ACMEAccount, resume: SavedOrder?,
        save: @escaping @Sendable (ACMERecord) async throws -> Void
    ) async throws(ACMEFailure) -> IssuedCertificate {
        throw ACMEFailure(.local, "No server runs that could order a certificate.")
    }

    func renewalInfo(for certificateID: String) async throws(ACMEFailure) -> RenewalInfo? { nil }
}

extension Configuration.ACME.ExternalAccount {
    fileprivate var credentials: ACMEAccount.ExternalAccount? {
        guard let keyID, let hmacKey else { return nil }
        return ACMEAccount.ExternalAccount(keyID: keyID, hmacKey: hmacKey)
    }
}

extension Configuration.ACME.Challenge {
    fileprivate var kind: ChallengeKind {
        switch self {
        case .http01: .http01
        case .tlsALPN01: .tlsALPN01
        }
    }
}
