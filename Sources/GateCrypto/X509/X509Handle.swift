import COpenSSL

/// An X.509 certificate as OpenSSL holds it.
struct X509Handle: ~Copyable {
    private let pointer: OpaquePointer

    init(owning pointer: OpaquePointer) { self.pointer = pointer }

    /// - Throws: where `der` is not one certificate and nothing more.
    init(der: [UInt8], in library: CryptoLibrary = .shared) throws(CryptoError) {
        let count = der.count
        let (parsed, used) = der.withUnsafeBufferPointer { buffer in
            var place = buffer.baseAddress
            var target = X509_new_ex(library.pointer, nil)
            // Frees the target where it fails.
            let parsed = target == nil ? nil : d2i_X509(&target, &place, count)
            return (parsed, parsed == nil ? 0 : place.map { $0 - buffer.baseAddress! } ?? 0)
        }
        let pointer = try check(parsed, "read a certificate")
        guard used == count else {
            X509_free(pointer)
            throw CryptoError("read a certificate: something follows it")
        }
        self.pointer = pointer
    }

    deinit { X509_free(pointer) }

    /// The pointer is not to leave `body`: reading it does not keep the certificate alive.
    borrowing func withPointer<Result, Failure: Error>(
        _ body: (OpaquePointer) throws(Failure) -> Result
    ) throws(Failure) -> Result { try body(pointer) }

    borrowing func der() throws(CryptoError) -> [UInt8] {
        try withPointer { pointer throws(CryptoError) in
            let size = i2d_X509(pointer, nil)
            guard size > 0 else { throw .drained("write a certificate") }
            return [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, count in
                var place = buffer.baseAddress
                count = Int(i2d_X509(pointer, &place))
            }
        }
    }
}

/// A BIO over memory: what OpenSSL's PEM functions read from and write to.
struct MemoryBIO: ~Copyable {
    private let pointer: OpaquePointer

    /// An empty one, to be written to.
    init() throws(CryptoError) { pointer = try check(BIO_new(BIO_s_mem()), "make a buffer") }

    init(_ bytes: [UInt8]) throws(CryptoError) {
        let filled = try check(BIO_new(BIO_s_mem()), "make a buffer")
        guard bytes.isEmpty || BIO_write(filled, bytes, Int32(clamping: bytes.count)) == bytes.count else {
            BIO_free(filled)
            throw .drained("fill a buffer")
        }
        pointer = filled
    }

    deinit { BIO_free(pointer) }

    /// As ``X509Handle/withPointer(_:)``.
    borrowing func withPointer<Result, Failure: Error>(
        _ body: (OpaquePointer) throws(Failure) -> Result
    ) throws(Failure) -> Result { try body(pointer) }

    /// What was written to it and not yet read.
    borrowing func bytes() -> [UInt8] {
        withPointer { pointer in
            [UInt8](unsafeUninitializedCapacity: BIO_ctrl_pending(pointer)) { buffer, count in
                count = max(0, Int(BIO_read(pointer, buffer.baseAddress, Int32(buffer.count))))
            }
        }
    }
}
