package import GateCore
package import GateHTTP

extension Configuration {
    package struct TLS: Sendable {
        package var mode = Mode.off
        /// Paths of PEM files: each certificate with its chain, and at the same place in ``keys`` its private key.
        package var certificates: [String] = []
        package var keys: [String] = []
        package var minVersion = Version.tls12
        /// Whether plain HTTP is sent to HTTPS.
        package var redirect = true
        package var handshakeTimeout = Duration.seconds(10)

        package enum Mode: String, CaseIterable, Sendable {
            case acme, files
            case selfSigned = "self-signed"
            case off
        }

        package enum Version: String, CaseIterable, Sendable {
            case tls12 = "1.2"
            case tls13 = "1.3"
        }
    }

    /// Where certificates are ordered, and which.
    package struct ACME: Sendable {
        package var email: String?
        /// The names to be certified, in lower case.
        package var domains: [String] = []
        package var certificates = Grouping.perName
        package var directory = ACME.letsEncrypt
        package var externalAccount = ExternalAccount()
        /// A file with the certificates that the authority's own server is verified with; `nil`: the system's.
        package var caFile: String?
        /// Where a dry run is made; `nil`: none is.
        package var stagingDirectory: HTTPURL?
        package var fallbackDirectory: HTTPURL?
        package var fallbackExternalAccount = ExternalAccount()
        package var keyType = KeyType.p256
        package var preferredChain: String?
        package var profile: String?
        package var challenges = [Challenge.http01, .tlsALPN01]

        /// External account binding (RFC 8555 §7.3.4): what an authority that knows its customers gives them.
        package struct ExternalAccount: Sendable {
            package var keyID: String?
            /// The MAC key itself, decoded.
            package var hmacKey: Secret?
        }

        /// How ``domains`` are spread over certificates.
        package enum Grouping: String, CaseIterable, Sendable {
            /// A name whose proof fails keeps no other from being renewed.
            case perName = "per-name"
            case one
        }

        package enum KeyType: String, CaseIterable, Sendable { case p256, rsa2048, rsa3072, rsa4096 }

        package enum Challenge: String, CaseIterable, Sendable {
            case http01 = "http-01"
            case tlsALPN01 = "tls-alpn-01"
        }

        package static let letsEncrypt = HTTPURL("https://acme-v02.api.letsencrypt.org/directory")!
        package static let letsEncryptStaging = HTTPURL("https://acme-staging-v02.api.letsencrypt.org/directory")!
    }
}
