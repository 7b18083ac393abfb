package import GateCore

/// Seals secrets for storage where others can read, and tells whether what comes back is what was put there.
///
/// A sealed text is a version (one byte, 1), a random nonce (12 bytes), and the AES-256-GCM ciphertext with its tag (16 bytes).
package struct SealingKey: Sendable {
    private static let version: UInt8 = 1
    private static let headSize = 1 + AES256GCM.nonceSize

    private let key: Secret

    /// - Parameters:
    ///   - master: 32 random bytes.
    ///   - purpose: each has a key of its own (HKDF-SHA256, RFC 5869): what is sealed for one cannot be passed off as another's.
    package init(_ master: Secret, purpose: String) {
        key = HKDFSHA256.derive(master, salt: [], info: "gatehouse sealing " + purpose, size: AES256GCM.keySize)
    }

    /// Random nonces of 96 bits are good for 2^32 texts under one key (NIST SP 800-38D §8.3).
    ///
    /// - Parameter label: says what it is, down to its version: a text is opened only under the label that it was sealed with, so
    ///   that no row can stand in for another. It is not part of the sealed text.
    package func seal(_ content: Secret, label: String, entropy: some Entropy) throws(CryptoError) -> [UInt8] {
        let nonce = entropy.bytes(AES256GCM.nonceSize)
        let sealed = try AES256GCM.seal(content.exposed, associated: Array(label.utf8), key: key, nonce: nonce)
        return [Self.version] + nonce + sealed
    }

    /// - Returns: `nil` for what was sealed with another key, for another purpose or under another label, and for what was changed.
    package func open(_ sealed: [UInt8], label: String) throws(CryptoError) -> Secret? {
        guard sealed.first == Self.version, sealed.count >= Self.headSize + AES256GCM.tagSize else { return nil }
        return try AES256GCM.open(
            Array(sealed[Self.headSize...]), associated: Array(label.utf8), key: key, nonce: Array(sealed[1..<Self.headSize]))
    }
}
