package import GateCore
package import GateCrypto
import Glibc

/// The self-signed certificate, kept in the data folder: whoever has told a browser to accept it need not do so after each restart.
package struct SelfSignedFile: Sendable {
    /// The certificate and its key, both in PEM form (0600).
    package let path: String
    private let names: [CertificateName]

    /// - Parameter names: hosts as in a URL: names, addresses, IPv6 addresses in brackets.
    package init(folder: String, names: [String]) throws(CertificateError) {
        path = folder + "/self-signed.pem"
        var parsed: [CertificateName] = []
        for name in names { parsed.append(try CertificateName(name.filter { $0 != "[" && $0 != "]" })) }
        self.names = parsed
    }

    /// Browsers take no certificate for longer (CA/Browser Forum, Baseline Requirements §6.3.2).
    private static let lifetime = Duration.seconds(397 * 86_400)
    private static let renewBefore = Duration.seconds(30 * 86_400)

    /// The one that is kept; a new one where there is none, its names are others, or it expires within a month.
    ///
    /// - Returns: the certificate, and why it could not be kept where that is so: it then lasts until the next start.
    package func open(at now: Timestamp, entropy: some Entropy) throws(CertificateError) -> (CertifiedKey, AtomicFile.Failure?) {
        if let kept = read(), kept.isCurrent(for: names, at: now + Self.renewBefore) { return (kept, nil) }
        let made = try CertifiedKey.selfSigned(for: names, at: now, lifetime: Self.lifetime, entropy: entropy)
        do throws(AtomicFile.Failure) {
            try AtomicFile.write(made.chain + made.key.exposed, to: path)
            return (made, nil)
        } catch {
            return (made, error)
        }
    }

    /// `nil` where there is none that can be used.
    package func read() -> CertifiedKey? {
        guard let pem = try? TextFile(path: path).text, let certificateEnd = pem.firstRange(of: Self.lastLine)?.upperBound else {
            return nil
        }
        return try? CertifiedKey(chain: Array(pem[..<certificateEnd].utf8), key: Secret(String(pem[certificateEnd...])))
    }

    private static let lastLine = "-----END CERTIFICATE-----\n"
}

extension CertifiedKey {
    fileprivate func isCurrent(for names: [CertificateName], at moment: Timestamp) -> Bool {
        leaf.isSelfSigned && Set(leaf.names) == Set(names) && leaf.isValid(at: moment)
    }
}
