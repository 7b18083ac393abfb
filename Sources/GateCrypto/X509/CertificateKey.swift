import COpenSSL
package import GateCore

/// The private key of a certificate.
package struct CertificateKey: Sendable {
    package enum Algorithm: Hashable, Sendable, CustomStringConvertible {
        case p256
        case p384
        case ed25519
        /// In bits: 2048 at least.
        case rsa(Int)

        package var description: String {
            switch self {
            case .p256: "ECDSA P-256"
            case .p384: "ECDSA P-384"
            case .ed25519: "Ed25519"
            case .rsa(let bits): "RSA \(bits)"
            }
        }
    }

    package let algorithm: Algorithm
    /// PEM: PKCS #8 where it was generated here, otherwise as it was given.
    package let pem: Secret

    /// - Throws: `noKey`, `malformedKey`, `encryptedKey`, `weakKey`.
    package init(pem: Secret) throws(CertificateError) {
        algorithm = try Self.algorithm(of: try KeyHandle(pem: pem))
        self.pem = pem
    }

    /// The key alone, as PKCS #8, whatever else stands in ``pem``.
    package func pkcs8() throws(CertificateError) -> Secret {
        let handle = try KeyHandle(pem: pem)
        do throws(CryptoError) { return try handle.pem() } catch { throw .cryptography(error) }
    }

    /// A new key. P-256 comes from 32 bytes of `entropy`; RSA takes a second or so, and its primes come from OpenSSL's own generator.
    ///
    /// - Throws: `weakKey` for RSA other than 2048, 3072 or 4096 bits, and for algorithms that certificate authorities do not sign.
    package static func generate(_ algorithm: Algorithm, entropy: some Entropy) throws(CertificateError) -> CertificateKey {
        do throws(CryptoError) {
            switch algorithm {
            case .p256:
                let scalar = try SigningKey.generate(.es256, id: "certificate", entropy: entropy).material
                return try CertificateKey(algorithm, try KeyHandle(owning: PrivateKey.readP256(scalar.exposed)))
            case .rsa(let bits):
                guard [2048, 3072, 4096].contains(bits) else { break }
                return try CertificateKey(algorithm, try rsa(bits))
            case .p384, .ed25519: break
            }
        } catch {
            throw .cryptography(error)
        }
        throw .weakKey(reason: "\(algorithm) is not generated here: P-256 is, and RSA of 2048, 3072 or 4096 bits")
    }

    private init(_ algorithm: Algorithm, _ handle: borrowing KeyHandle) throws(CryptoError) {
        self.algorithm = algorithm
        pem = try handle.pem()
    }

    private static func rsa(_ bits: Int) throws(CryptoError) -> KeyHandle {
        let context = try check(EVP_PKEY_CTX_new_from_name(nil, "RSA", nil), "generate an RSA key")
        defer { EVP_PKEY_CTX_free(context) }
        try check(EVP_PKEY_keygen_init(context), "generate an RSA key")
        try check(EVP_PKEY_CTX_set_rsa_keygen_bits(context, Int32(bits)), "generate an RSA key")
        var generated: OpaquePointer?
        try check(EVP_PKEY_generate(context, &generated), "generate an RSA key")
        return KeyHandle(owning: try check(generated, "generate an RSA key"))
    }

    static func algorithm(of key: borrowing KeyHandle) throws(CertificateError) -> Algorithm {
        if key.isKind("RSA") {
            let bits = key.bits
            guard bits >= 2048 else { throw .weakKey(reason: "RSA with \(bits) bits; browsers want 2048 at least") }
            // Each handshake signs with it: beyond this a handful of clients would keep a core busy.
            guard bits <= 8192 else { throw .weakKey(reason: "RSA with \(bits) bits takes too long to sign; take 2048 to 4096") }
            return .rsa(bits)
        }
        if key.isKind("ED25519") { return .ed25519 }
        guard key.isKind("EC") else { throw .weakKey(reason: "it is neither RSA nor ECDSA nor Ed25519") }
        switch key.group {
        case "prime256v1": return .p256
        case "secp384r1": return .p384
        case let group: throw .weakKey(reason: "browsers do not take the curve \(group ?? "that it names"); take P-256")
        }
    }
}
