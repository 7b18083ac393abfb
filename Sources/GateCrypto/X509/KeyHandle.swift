import COpenSSL
import GateCore

/// An asymmetric key as OpenSSL holds it.
struct KeyHandle: ~Copyable {
    private let pointer: OpaquePointer

    init(owning pointer: OpaquePointer) { self.pointer = pointer }

    deinit { EVP_PKEY_free(pointer) }

    /// As ``X509Handle/withPointer(_:)``.
    borrowing func withPointer<Result, Failure: Error>(
        _ body: (OpaquePointer) throws(Failure) -> Result
    ) throws(Failure) -> Result { try body(pointer) }

    /// The first private key of a PEM text: PKCS #8 or the traditional forms; other blocks are passed over.
    init(pem: Secret, in library: CryptoLibrary = .shared) throws(CertificateError) {
        try PEM.sizeAllowed(pem.exposed)
        var isLocked = false
        let source: MemoryBIO
        do throws(CryptoError) { source = try MemoryBIO(pem.exposed) } catch { throw .cryptography(error) }
        guard let pointer = source.withPointer({ PEM_read_bio_PrivateKey_ex($0, nil, refusePassphrase, &isLocked, library.pointer, nil) })
        else {
            let error = CryptoError.drained("read a private key")
            if isLocked { throw .encryptedKey }
            guard String(decoding: pem.exposed, as: UTF8.self).contains("PRIVATE KEY-----") else { throw .noKey }
            throw .malformedKey(reason: PEM.reason(error))
        }
        ERR_clear_error()
        self.pointer = pointer
    }

    /// PKCS #8 (RFC 5958), not locked.
    borrowing func pem() throws(CryptoError) -> Secret {
        let target = try MemoryBIO()
        let written = withPointer { key in
            target.withPointer { PEM_write_bio_PKCS8PrivateKey($0, key, nil, nil, 0, nil, nil) }
        }
        try check(written, "write a private key")
        return Secret(target.bytes())
    }

    borrowing func isKind(_ name: String) -> Bool { withPointer { EVP_PKEY_is_a($0, name) == 1 } }

    var bits: Int { withPointer { Int(EVP_PKEY_get_bits($0)) } }

    /// Of elliptic curves, as OpenSSL calls it: `prime256v1`.
    var group: String? {
        var name = [CChar](repeating: 0, count: 64)
        var count = 0
        guard withPointer({ EVP_PKEY_get_group_name($0, &name, name.count, &count) }) == 1 else {
            ERR_clear_error()
            return nil
        }
        return String(decoding: name.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
