package import GateCore

/// Why a token is refused. For logs and metrics: a client is told nothing but that it is not valid.
package enum JWSError: Error, Hashable, Sendable {
    /// It is no JWS in compact serialization, or too long.
    case malformed
    /// Its header brings or names a key (`jwk`, `jku`, `x5u`, `x5c`), or asks for an extension (`crit`, `b64`).
    case unsupportedHeader
    /// It names no key, or none that we hold.
    case unknownKey
    /// Its algorithm is not the one of its key.
    case wrongAlgorithm
    /// It was made for another purpose.
    case wrongType
    case invalidSignature
}

/// The key that signs, and those that signed before it and still verify.
package struct SigningKeyRing: Sendable {
    package let current: SigningKey
    private let keys: [SigningKey]

    /// Where several keys have one id, the first counts, the current one before all.
    package init(current: SigningKey, previous: [SigningKey] = []) {
        self.current = current
        keys = [current] + previous
    }

    package func sign(payload: [UInt8], typ: String) throws(CryptoError) -> String {
        try JWS.sign(typ: typ, payload: payload, key: current)
    }

    /// The payload of a token that one of the keys signed for the purpose `typ`.
    ///
    /// The key is found by `kid` among our own, and it decides the algorithm: what the header says must agree, and is otherwise
    /// not listened to (RFC 8725 §3.1, §3.10, §3.11). Claims such as `exp` are the caller's to check.
    package func verify(_ compact: String, typ: String) throws(JWSError) -> [UInt8] {
        guard let token = JWS.parse(compact) else { throw .malformed }
        guard Self.refused.allSatisfy({ token.header[$0] == nil }) else { throw .unsupportedHeader }
        guard let id = token.header["kid"]?.string, let key = keys.first(where: { $0.id == id }) else { throw .unknownKey }
        guard token.header["alg"]?.string == key.algorithm.rawValue else { throw .wrongAlgorithm }
        guard let written = token.header["typ"]?.string, Self.mediaType(written) == Self.mediaType(typ) else { throw .wrongType }
        guard key.verify(token.signature, of: token.signingInput) else { throw .invalidSignature }
        return token.payload
    }

    /// A JWK set (RFC 7517 §5) of what others may verify with; empty where all is HS256.
    package var jwks: JSON { ["keys": .array(keys.compactMap(\.publicJWK))] }

    /// Header parameters that would let the sender choose the key or the rules (RFC 7515 §4.1, RFC 7797 §3).
    private static let refused = ["crit", "jku", "jwk", "x5u", "x5c", "b64"]

    /// In lower case, without the `application/` that may be left out (RFC 7515 §4.1.9).
    private static func mediaType(_ typ: String) -> String {
        let lower = typ.lowercased()
        let prefix = "application/"
        // With a further slash the prefix is not one that was left out.
        return lower.hasPrefix(prefix) && !lower.dropFirst(prefix.count).contains("/") ? String(lower.dropFirst(prefix.count)) : lower
    }
}
