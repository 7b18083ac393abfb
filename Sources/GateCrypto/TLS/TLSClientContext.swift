import COpenSSL
package import GateCore

/// What the connections of a client share: the authorities that are trusted, read once.
package final class TLSClientContext: Sendable {
    let context: TLSContext
    let time: any TimeSource

    /// Trusts the system's authorities (the files that OpenSSL was built to use, or `SSL_CERT_FILE` and `SSL_CERT_DIR`).
    ///
    /// - Parameters:
    ///   - authorities: PEM; authorities trusted besides.
    ///   - trustsSystem: whether the system's count at all.
    ///   - time: by whose wall clock certificates are valid.
    /// - Throws: where `authorities` holds no certificate, or one that cannot be read.
    package init(
        authorities: [UInt8]? = nil, trustsSystem: Bool = true, time: any TimeSource = SystemTime()
    ) throws(CryptoError) {
        self.time = time
        context = try TLSContext(TLS_client_method())
        SSL_CTX_set_verify(context.pointer, SSL_VERIFY_PEER, nil)
        if trustsSystem { try check(SSL_CTX_set_default_verify_paths(context.pointer), "read the system's authorities") }
        if let authorities { try Self.add(authorities, to: context.pointer) }
    }

    private static func add(_ authorities: [UInt8], to context: OpaquePointer) throws(CryptoError) {
        let bio = try memoryBIO(authorities)
        defer { BIO_free(bio) }
        let store = SSL_CTX_get_cert_store(context)
        var count = 0
        while let certificate = PEM_read_bio_X509(bio, nil, nil, nil) {
            defer { X509_free(certificate) }
            try check(X509_STORE_add_cert(store, certificate), "trust an authority")
            count += 1
        }
        let error = CryptoError.drained("read the trusted authorities")
        guard count > 0 else { throw error }
    }
}
