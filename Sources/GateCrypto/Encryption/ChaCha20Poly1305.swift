import COpenSSL
package import GateCore

/// Authenticated encryption with ChaCha20-Poly1305 (RFC 8439 §2.8) under one key, without associated data. Used by one thread.
package final class ChaCha20Poly1305 {
    package static let keySize = 32
    package static let nonceSize = 12
    package static let tagSize = 16

    private let context: OpaquePointer
    private let key: Secret

    // An EVP_CIPHER that was fetched is immutable, and lives as long as the process.
    private nonisolated(unsafe) static let algorithm = EVP_CIPHER_fetch(nil, "ChaCha20-Poly1305", nil)

    package init(key: Secret) throws(CryptoError) {
        guard key.count == Self.keySize else { throw CryptoError("encrypt with ChaCha20-Poly1305: the key must have 32 bytes") }
        context = try check(EVP_CIPHER_CTX_new(), "encrypt with ChaCha20-Poly1305")
        self.key = key
    }

    deinit { EVP_CIPHER_CTX_free(context) }

    /// Writes the ciphertext and its tag.
    ///
    /// - Parameters:
    ///   - nonce: never the same one twice under a key.
    ///   - output: has room for ``tagSize`` bytes more than `plaintext`.
    package func seal(_ plaintext: UnsafeRawBufferPointer, nonce: [UInt8], into output: UnsafeMutableRawBufferPointer) throws(CryptoError) {
        precondition(nonce.count == Self.nonceSize && output.count >= plaintext.count + Self.tagSize, "the sizes fit")
        let operation = "encrypt with ChaCha20-Poly1305"
        try check(EVP_EncryptInit_ex2(context, Self.algorithm, key.exposed, nonce, nil), operation)
        let target = output.bindMemory(to: UInt8.self).baseAddress
        var count: Int32 = 0
        if plaintext.count > 0 {
            try check(
                EVP_EncryptUpdate(context, target, &count, plaintext.bindMemory(to: UInt8.self).baseAddress, Int32(plaintext.count)),
                operation)
        }
        var rest: Int32 = 0
        try check(EVP_EncryptFinal_ex(context, target, &rest), operation)
        try check(
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagSize), target.map { $0 + plaintext.count }), operation)
    }

    /// Reads what ``seal(_:nonce:into:)`` wrote.
    ///
    /// - Parameter output: has room for ``tagSize`` bytes less than `ciphertext`. Where `false` is returned it is worthless.
    /// - Returns: whether it is what was sealed under this key and nonce.
    package func open(
        _ ciphertext: UnsafeRawBufferPointer, nonce: [UInt8], into output: UnsafeMutableRawBufferPointer
    ) throws(CryptoError) -> Bool {
        let size = ciphertext.count - Self.tagSize
        guard size >= 0 else { return false }
        precondition(nonce.count == Self.nonceSize && output.count >= size, "the sizes fit")
        let operation = "decrypt with ChaCha20-Poly1305"
        try check(EVP_DecryptInit_ex2(context, Self.algorithm, key.exposed, nonce, nil), operation)
        var tag = Array(ciphertext[size...])
        try check(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagSize), &tag), operation)
        let target = output.bindMemory(to: UInt8.self).baseAddress
        var count: Int32 = 0
        if size > 0 {
            try check(
                EVP_DecryptUpdate(context, target, &count, ciphertext.bindMemory(to: UInt8.self).baseAddress, Int32(size)), operation)
        }
        var rest: UInt8 = 0
        var none: Int32 = 0
        let isSound = EVP_DecryptFinal_ex(context, &rest, &none) == 1
        if !isSound { ERR_clear_error() }
        return isSound
    }
}
