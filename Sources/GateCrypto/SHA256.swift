import COpenSSL

/// SHA-256 (FIPS 180-4).
package enum SHA256 {
    /// In bytes.
    package static let size = 32

    package static func hash(_ bytes: [UInt8]) -> [UInt8] { bytes.withUnsafeBytes { hash($0) } }

    package static func hash(_ bytes: UnsafeRawBufferPointer) -> [UInt8] { MessageDigest.sha256.hash(bytes) }
}

/// A digest fetched once: in OpenSSL 3 each fetch by name costs more than hashing a token.
struct MessageDigest: @unchecked Sendable {
    // A fetched EVP_MD is immutable and counted atomically; these live as long as the process.
    let pointer: OpaquePointer
    let size: Int

    static let sha1 = MessageDigest("SHA1", size: 20)
    static let sha256 = MessageDigest("SHA2-256", size: 32)
    static let sha384 = MessageDigest("SHA2-384", size: 48)

    private init(_ name: String, size: Int) {
        guard let pointer = EVP_MD_fetch(nil, name, nil) else { preconditionFailure("\(CryptoError.drained("fetch \(name)"))") }
        self.pointer = pointer
        self.size = size
    }

    /// Hashing can only fail for want of memory, where Swift itself ends the process.
    func hash(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: size) { output, count in
            guard EVP_Digest(bytes.baseAddress, bytes.count, output.baseAddress, nil, pointer, nil) == 1 else {
                preconditionFailure("\(CryptoError.drained("hash"))")
            }
            count = size
        }
    }
}
