package import GateCrypto

/// Where the challenges of an order are answered.
package protocol ChallengePresenting: Sendable {
    /// Returns once validators are answered, whichever instance they ask.
    func present(_ challenge: PresentedChallenge) async throws
    /// Takes it back; nothing where it is not there.
    func withdraw(_ challenge: PresentedChallenge) async
}

package enum PresentedChallenge: Sendable {
    /// RFC 8555 §8.3: `http://NAME/.well-known/acme-challenge/TOKEN` answers the key authorization.
    case http01(name: String, token: String, keyAuthorization: String)
    /// RFC 8737 §3: a handshake for `name` with the protocol `acme-tls/1` is answered with this certificate.
    case tlsALPN01(name: CertificateName, keyAuthorization: String, CertifiedKey)
}
