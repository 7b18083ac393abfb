import COpenSSL
import GateCore

/// An asymmetric key as OpenSSL holds it, read once and used for every token.
final class PrivateKey: @unchecked Sendable {
    // Not changed after `init`; OpenSSL allows concurrent signing and verifying with one EVP_PKEY, each in its own context.
    private let pointer: OpaquePointer
    private let algorithm: SigningAlgorithm

    /// - Parameter material: the 32 bytes of an Ed25519 seed (RFC 8032 §5.1.5), or of a P-256 scalar, big-endian.
    init(_ algorithm: SigningAlgorithm, material: Secret) throws(CryptoError) {
        guard material.count == 32 else { throw CryptoError("read a \(algorithm.rawValue) key: it must have 32 bytes") }
        self.algorithm = algorithm
        let bytes = material.exposed
        switch algorithm {
        case .hs256: throw CryptoError("read a private key: HS256 has none")
        case .edDSA:
            pointer = try check(EVP_PKEY_new_raw_private_key_ex(nil, "ED25519", nil, bytes, bytes.count), "read an Ed25519 key")
        case .es256: pointer = try Self.readP256(bytes)
        }
    }

    deinit { EVP_PKEY_free(pointer) }

    /// As an `ECPrivateKey` without its public half (RFC 5915 §3), which OpenSSL then derives.
    static func readP256(_ scalar: [UInt8]) throws(CryptoError) -> OpaquePointer {
        // SEQUENCE { INTEGER 1, OCTET STRING scalar, [0] OID prime256v1 }
        var der: [UInt8] = []
        // At once, so that growing leaves no copy of the key behind.
        der.reserveCapacity(51)
        der += [0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20]
        der += scalar
        der += [0xA0, 0x0A, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07]
        defer { OPENSSL_cleanse(&der, der.count) }
        let key = der.withUnsafeBufferPointer { buffer in
            var place = buffer.baseAddress
            return d2i_PrivateKey(EVP_PKEY_EC, nil, &place, buffer.count)
        }
        let pointer = try check(key, "read a P-256 key")
        do throws(CryptoError) {
            // Refuses zero and what is not below the order of the group.
            let context = try check(EVP_PKEY_CTX_new(pointer, nil), "check a P-256 key")
            defer { EVP_PKEY_CTX_free(context) }
            try check(EVP_PKEY_check(context), "check a P-256 key")
        } catch {
            EVP_PKEY_free(pointer)
            throw error
        }
        return pointer
    }

    /// 32 bytes for Ed25519; for P-256 the uncompressed point, 65 bytes (SEC 1 §2.3.3).
    func publicKey() throws(CryptoError) -> [UInt8] {
        if algorithm == .edDSA {
            var key = [UInt8](repeating: 0, count: 32)
            var count = key.count
            try check(EVP_PKEY_get_raw_public_key(pointer, &key, &count), "derive an Ed25519 public key")
            return key
        }
        var encoded: UnsafeMutablePointer<UInt8>?
        let count = EVP_PKEY_get1_encoded_public_key(pointer, &encoded)
        let start = try check(encoded, "derive a P-256 public key")
        defer { CRYPTO_free(start, #file, #line) }
        guard count == 65, start[0] == 4 else { throw CryptoError("derive a P-256 public key: it has an unexpected form") }
        return Array(UnsafeBufferPointer(start: start, count: count))
    }

    /// The signature as a JWS carries it: 64 bytes (RFC 8037 §3.1, RFC 7518 §3.4).
    func sign(_ message: [UInt8]) throws(CryptoError) -> [UInt8] {
        let context = try check(EVP_MD_CTX_new(), "sign with \(algorithm.rawValue)")
        defer { EVP_MD_CTX_free(context) }
        try check(EVP_DigestSignInit(context, nil, digest, nil, pointer), "sign with \(algorithm.rawValue)")
        var signature = [UInt8](repeating: 0, count: ECDSASignature.maximumSize)
        var count = signature.count
        try check(EVP_DigestSign(context, &signature, &count, message, message.count), "sign with \(algorithm.rawValue)")
        signature.removeSubrange(count...)
        return algorithm == .es256 ? try ECDSASignature.raw(fromDER: signature) : signature
    }

    /// Whether the 64 bytes of `signature` sign `message`.
    func verify(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        guard signature.count == algorithm.signatureSize else { return false }
        // What is no signature leaves errors behind, which must not be taken for those of the next call.
        defer { ERR_clear_error() }
        guard let encoded = algorithm == .es256 ? ECDSASignature.der(fromRaw: signature) : signature,
            let context = EVP_MD_CTX_new()
        else { return false }
        defer { EVP_MD_CTX_free(context) }
        return EVP_DigestVerifyInit(context, nil, digest, nil, pointer) == 1
            && EVP_DigestVerify(context, encoded, encoded.count, message, message.count) == 1
    }

    /// Ed25519 hashes by itself.
    private var digest: OpaquePointer? { algorithm == .es256 ? MessageDigest.sha256.pointer : nil }
}
