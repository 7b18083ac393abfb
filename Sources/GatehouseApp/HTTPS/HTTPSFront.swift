import GateACME
import GateCrypto
import GateNet
import Logging

/// Where certificates meet handshakes, and challenges those who ask for them.
final class HTTPSFront: CertificateInstalling, ChallengePresenting {
    let tls: TLSCertificates
    let http01 = HTTP01Challenges()
    /// Serves whoever asks for a name that there is no certificate for.
    private let standIn: CertifiedKey?
    private let log: Logger

    /// - Parameters:
    ///   - first: what is served until certificates are installed.
    ///   - standsIn: whether `first` goes on serving the names that no certificate is for; otherwise the first certificate does.
    init(_ first: CertifiedKey, standsIn: Bool, _ settings: Configuration.TLS, log: Logger) throws(CryptoError) {
        tls = try TLSCertificates(fallback: first, oldest: settings.minVersion == .tls13 ? .tls13 : .tls12)
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

    func present(_ challenge: PresentedChallenge) throws {
        switch challenge {
        case .http01(_, let token, let keyAuthorization): http01.present(token: token, keyAuthorization: keyAuthorization)
        case .tlsALPN01(let name, let certified): try tls.present(certified, for: name)
        }
    }

    func withdraw(_ challenge: PresentedChallenge) {
        switch challenge {
        case .http01(_, let token, _): http01.withdraw(token: token)
        case .tlsALPN01(let name, _): tls.withdraw(name)
        }
    }
}
