/// How a token is signed; the raw value is the `alg` of RFC 7518 §3.1 and RFC 8037 §3.1.
package enum SigningAlgorithm: String, CaseIterable, Sendable {
    /// HMAC with SHA-256: whoever can verify can also sign.
    case hs256 = "HS256"
    /// Ed25519.
    case edDSA = "EdDSA"
    /// ECDSA on P-256 with SHA-256.
    case es256 = "ES256"

    /// In bytes, as a compact JWS carries it.
    var signatureSize: Int { self == .hs256 ? 32 : 64 }
}
