package import GateCore

/// A key that signs tokens and verifies them, under the `kid` that names it.
package struct SigningKey: Sendable {
    package let id: String
    package let algorithm: SigningAlgorithm
    /// For HS256 the secret itself; for EdDSA the 32-byte seed; for ES256 the 32-byte private scalar, big-endian.
    package let material: Secret

    private let loaded: Loaded
    /// As a JSON Web Key (RFC 7517; RFC 8037 §2 for EdDSA); `nil` for HS256, whose key is never published.
    package let publicJWK: JSON?

    private enum Loaded: Sendable {
        case symmetric(HMACKey)
        case asymmetric(PrivateKey)
    }

    /// The shortest HS256 secret, in bytes: as long as the hash (RFC 7518 §3.2).
    package static let minimumSecretSize = 32

    /// - Throws: where `id` is empty, where the material has another length than its algorithm wants, or where it is no key:
    ///   a P-256 scalar of zero, or one not below the order of the group.
    package init(id: String, algorithm: SigningAlgorithm, material: Secret) throws(CryptoError) {
        guard !id.isEmpty else { throw CryptoError("read a signing key: it has no id") }
        self.id = id
        self.algorithm = algorithm
        self.material = material
        switch algorithm {
        case .hs256:
            guard material.count >= Self.minimumSecretSize else {
                throw CryptoError("read an HS256 secret: it has fewer than \(Self.minimumSecretSize) bytes")
            }
            loaded = .symmetric(HMACKey(material))
            publicJWK = nil
        case .edDSA:
            let key = try PrivateKey(algorithm, material: material)
            loaded = .asymmetric(key)
            publicJWK = [
                "kty": "OKP", "crv": "Ed25519", "x": .string(Base64URL.encode(try key.publicKey())),
                "kid": .string(id), "alg": .string(algorithm.rawValue), "use": "sig",
            ]
        case .es256:
            let key = try PrivateKey(algorithm, material: material)
            loaded = .asymmetric(key)
            let point = try key.publicKey()
            publicJWK = [
                "kty": "EC", "crv": "P-256", "x": .string(Base64URL.encode(point[1...32])), "y": .string(Base64URL.encode(point[33...])),
                "kid": .string(id), "alg": .string(algorithm.rawValue), "use": "sig",
            ]
        }
    }

    /// A new key, from 32 bytes of `entropy`.
    package static func generate(_ algorithm: SigningAlgorithm, id: String, entropy: some Entropy) throws(CryptoError) -> SigningKey {
        var material = Secret(entropy.bytes(32))
        // One in 2³² scalars is not below the order of P-256: drawing again keeps the rest equally likely.
        while algorithm == .es256, !P256.isScalar(material.exposed) { material = Secret(entropy.bytes(32)) }
        return try SigningKey(id: id, algorithm: algorithm, material: material)
    }

    /// The signature as a JWS carries it: 32 bytes for HS256, 64 otherwise.
    func sign(_ message: [UInt8]) throws(CryptoError) -> [UInt8] {
        switch loaded {
        case .symmetric(let key): key.authenticate(message)
        case .asymmetric(let key): try key.sign(message)
        }
    }

    func verify(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        switch loaded {
        case .symmetric(let key): key.verify(signature, of: message)
        case .asymmetric(let key): key.verify(signature, of: message)
        }
    }
}

enum P256 {
    /// The order of the group (SEC 2 §2.4.2), big-endian.
    static let order: [UInt8] = [
        0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
    ]

    /// Whether the 32 bytes are a private key: from one to the order less one.
    static func isScalar(_ bytes: [UInt8]) -> Bool {
        bytes.count == 32 && bytes.contains { $0 != 0 } && bytes.lexicographicallyPrecedes(order)
    }
}
