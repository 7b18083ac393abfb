import COpenSSL
package import GateCore

/// Authenticated encryption with AES-256 in Galois/Counter Mode (NIST SP 800-38D), nonces of 96 bits and tags of 128.
package enum AES256GCM {
    package static let keySize = 32
    package static let nonceSize = 12
    package static let tagSize = 16

    // An EVP_CIPHER that was fetched is immutable, and lives as long as the process.
    private nonisolated(unsafe) static let algorithm = EVP_CIPHER_fetch(nil, "AES-256-GCM", nil)

    /// - Parameters:
    ///   - associated: authenticated, not part of what is returned.
    ///   - nonce: never the same one twice under a key.
    /// - Returns: the ciphertext, and its tag behind it.
    package static func seal(_ plaintext: [UInt8], associated: [UInt8], key: Secret, nonce: [UInt8]) throws(CryptoError) -> [UInt8] {
        let operation = "encrypt with AES-256-GCM"
        let context = try begin(isSealing: true, key: key, nonce: nonce, associated: associated, operation)
        defer { EVP_CIPHER_CTX_free(context) }
        var output = [UInt8](repeating: 0, count: plaintext.count + tagSize)
        var count: Int32 = 0
        if !plaintext.isEmpty { try check(EVP_EncryptUpdate(context, &output, &count, plaintext, Int32(plaintext.count)), operation) }
        var rest: Int32 = 0
        var none: UInt8 = 0
        try check(EVP_EncryptFinal_ex(context, &none, &rest), operation)
        var tag = [UInt8](repeating: 0, count: tagSize)
        try check(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(tagSize), &tag), operation)
        output.replaceSubrange(plaintext.count..., with: tag)
        return output
    }

    /// - Returns: `nil` for what was not sealed under this key and nonce with the same associated data.
    package static func open(_ ciphertext: [UInt8], associated: [UInt8], key: Secret, nonce: [UInt8]) throws(CryptoError) -> Secret? {
        guard ciphertext.count >= tagSize else { return nil }
        let operation = "decrypt with AES-256-GCM"
        let context = try begin(isSealing: false, key: key, nonce: nonce, associated: associated, operation)
        defer { EVP_CIPHER_CTX_free(context) }
        let size = ciphertext.count - tagSize
        var tag = Array(ciphertext[size...])
        try check(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(tagSize), &tag), operation)
        var output = [UInt8](repeating: 0, count: size)
        var count: Int32 = 0
        if size > 0 { try check(EVP_DecryptUpdate(context, &output, &count, ciphertext, Int32(size)), operation) }
        var rest: Int32 = 0
        var none: UInt8 = 0
        guard EVP_DecryptFinal_ex(context, &none, &rest) == 1 else {
            ERR_clear_error()
            return nil
        }
        return Secret(output)
    }

    private static func begin(
        isSealing: Bool, key: Secret, nonce: [UInt8], associated: [UInt8], _ operation: String
    ) throws(CryptoError) -> OpaquePointer {
        guard key.count == keySize else { throw CryptoError("\(operation): the key must have \(keySize) bytes") }
        precondition(nonce.count == nonceSize, "a nonce has 96 bits")
        let context = try check(EVP_CIPHER_CTX_new(), operation)
        do throws(CryptoError) {
            try check(EVP_CipherInit_ex2(context, algorithm, key.exposed, nonce, isSealing ? 1 : 0, nil), operation)
            var count: Int32 = 0
            if !associated.isEmpty { try check(EVP_CipherUpdate(context, nil, &count, associated, Int32(associated.count)), operation) }
        } catch {
            EVP_CIPHER_CTX_free(context)
            throw error
        }
        return context
    }
}
