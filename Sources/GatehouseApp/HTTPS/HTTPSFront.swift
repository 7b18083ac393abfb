import GateACME
import GateCrypto
import GateNet
import Logging

/// Where certificates meet handshakes, and challenges those who ask for them.
final class HTTPSFront: CertificateInstalling, ChallengePresenting {
    let tls: TLSCertificates
    let http01 = HTTP01Challenges()
    /// The challenges of other instances; `nil` where there are none.
    let shared: SharedChallenges?
    /// Serves whoever asks for a name that there is no certificate for.
    private let standIn: CertifiedKey?
    private let log: Logger

    /// - Parameters:
    ///   - first: what is served until certificates are installed.
    ///   - shared: where other instances are told of challenges, and asked for theirs.
    ///   - standsIn: whether `first` goes on serving the names that no certificate is for; otherwise the first certificate does.
    init(
        _ first: CertifiedKey, standsIn: Bool, _ settings: Configuration.TLS, shared: SharedChallenges? = nil, log: Logger
    ) throws(CryptoError) {
        var challenges: (@Sendable (String) async -> CertifiedKey?)?
        if let shared { challenges = { await shared.certificate(for: $0) } }
        tls = try TLSCertificates(
            fallback: first, oldest: settings.minVersion == .tls13 ? .tls13 : .tls12, challenges: challenges)
        self.shared = shared
        standIn = standsIn ? first : nil
        self.log = log
    }

    func install(_ certificates: [CertifiedKey]) {
        guard let fallback = certificates.first ?? standIn else { return }
        do throws(CryptoError) {
            try tls.serve(certificates, fallback: fallback)
        } catch {
            log.error("A certificate cannot be served, those before stay", metadata: ["error": "\(error)"])
        }
    }

    func present(_ challenge: PresentedChallenge) async throws {
        switch challenge {
        case .http01(_, let token, let keyAuthorization): http01.present(token: token, keyAuthorization: keyAuthorization)
        case .tlsALPN01(let name, _, let certified): try tls.present(certified, for: name.serverName)
        }
        try await shared?.post(challenge)
    }

    func withdraw(_ challenge: PresentedChallenge) async {
        switch challenge {
        case .http01(_, let token, _): http01.withdraw(token: token)
        case .tlsALPN01(let name, _, _): tls.withdraw(name.serverName)
        }
        await shared?.withdraw(challenge)
    }
}
