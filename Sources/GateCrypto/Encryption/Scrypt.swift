import COpenSSL
package import GateCore

/// Keys from passphrases: scrypt (RFC 7914).
package enum Scrypt {
    /// Takes `128 * blockSize * 2^logWork` bytes of memory, and a time in proportion.
    ///
    /// - Parameters:
    ///   - logWork: the base-2 logarithm of the parameter N.
    ///   - blockSize: the parameter r.
    package static func derive(_ passphrase: Secret, salt: [UInt8], logWork: Int, blockSize: Int = 8, size: Int = 32) throws(CryptoError)
        -> Secret
    {
        guard (1...30).contains(logWork) else { throw CryptoError("derive a key with scrypt: the work factor is out of range") }
        let work = UInt64(1) << UInt64(logWork)
        // OpenSSL's own limit is 32 MiB; it counts some blocks beyond the table.
        let memory = 128 * UInt64(blockSize) * (work + 64)
        var key = [UInt8](repeating: 0, count: size)
        defer { OPENSSL_cleanse(&key, key.count) }
        let bytes = passphrase.exposed
        let code = bytes.withUnsafeBytes { bytes in
            EVP_PBE_scrypt(
                bytes.bindMemory(to: CChar.self).baseAddress, bytes.count, salt, salt.count, work, UInt64(blockSize), 1, memory, &key,
                key.count)
        }
        try check(code, "derive a key with scrypt")
        return Secret(key)
    }
}
