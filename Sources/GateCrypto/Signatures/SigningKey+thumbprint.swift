package import GateCore

extension SigningKey {
    /// The public key with the members that its type requires and no other, in the order of their names (RFC 7638 §3.2); `nil` for
    /// HS256.
    package var bareJWK: JSON? {
        guard let jwk = publicJWK, let members = jwk.members else { return nil }
        return .object(members.filter { ["crv", "kty", "x", "y"].contains($0.name) }.sorted { $0.name < $1.name })
    }

    /// The JWK thumbprint with SHA-256 (RFC 7638 §3, RFC 8037 §2), 32 bytes; `nil` for HS256, whose key is secret.
    package var thumbprint: [UInt8]? { bareJWK.map { SHA256.hash($0.bytes) } }
}
