import COpenSSL
package import GateCore

/// Key agreement on Curve25519 (RFC 7748). Keys are 32 bytes.
package enum X25519 {
    package static let size = 32

    package static func publicKey(of secret: Secret) throws(CryptoError) -> [UInt8] {
        let pointer = try privateKey(secret)
        defer { EVP_PKEY_free(pointer) }
        var bytes = [UInt8](repeating: 0, count: size)
        var count = bytes.count
        try check(EVP_PKEY_get_raw_public_key(pointer, &bytes, &count), "derive an X25519 public key")
        return bytes
    }

    /// - Throws: also where the other side's key is one of those that make every secret zero (RFC 7748 §6.1).
    package static func agree(_ secret: Secret, with other: [UInt8]) throws(CryptoError) -> Secret {
        let operation = "agree on a key with X25519"
        guard other.count == size else { throw CryptoError("\(operation): a public key has 32 bytes") }
        let own = try privateKey(secret)
        defer { EVP_PKEY_free(own) }
        let peer = try check(EVP_PKEY_new_raw_public_key_ex(nil, "X25519", nil, other, other.count), operation)
        defer { EVP_PKEY_free(peer) }
        let context = try check(EVP_PKEY_CTX_new(own, nil), operation)
        defer { EVP_PKEY_CTX_free(context) }
        try check(EVP_PKEY_derive_init(context), operation)
        try check(EVP_PKEY_derive_set_peer(context, peer), operation)
        var shared = [UInt8](repeating: 0, count: size)
        defer { OPENSSL_cleanse(&shared, shared.count) }
        var count = shared.count
        try check(EVP_PKEY_derive(context, &shared, &count), operation)
        // OpenSSL refuses zero by itself; a provider of another make may not.
        guard count == size, shared.contains(where: { $0 != 0 }) else { throw CryptoError("\(operation): the other side's key is weak") }
        return Secret(shared)
    }

    private static func privateKey(_ secret: Secret) throws(CryptoError) -> OpaquePointer {
        guard secret.count == size else { throw CryptoError("read an X25519 key: it must have 32 bytes") }
        return try check(EVP_PKEY_new_raw_private_key_ex(nil, "X25519", nil, secret.exposed, secret.count), "read an X25519 key")
    }
}
