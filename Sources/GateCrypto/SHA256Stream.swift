import COpenSSL

/// SHA-256 (FIPS 180-4) of bytes that come in parts. Used by one thread.
package final class SHA256Stream {
    private let context: OpaquePointer

    /// Like hashing at once, it can only fail for want of memory, where Swift itself ends the process.
    package init() {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex2(context, MessageDigest.sha256.pointer, nil) == 1 else {
            preconditionFailure("\(CryptoError.drained("hash"))")
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    package func update(_ bytes: UnsafeRawBufferPointer) {
        guard EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1 else {
            preconditionFailure("\(CryptoError.drained("hash"))")
        }
    }

    /// The hash of all parts; nothing may follow.
    package func finish() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: SHA256.size) { output, count in
            guard EVP_DigestFinal_ex(context, output.baseAddress, nil) == 1 else { preconditionFailure("\(CryptoError.drained("hash"))") }
            count = SHA256.size
        }
    }
}
