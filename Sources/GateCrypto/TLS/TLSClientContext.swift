import COpenSSL
package import GateCore

/// What the connections of a client share: the authorities that are trusted, read once.
package final class TLSClientContext: Sendable {
    let context: TLSContext
    package let time: any TimeSource

    /// Trusts the system's authorities (the files that OpenSSL was built to use, or `SSL_CERT_FILE` and `SSL_CERT_DIR`).
    ///
    /// - Parameters:
    ///   - authorities: PEM; authorities trusted besides.
    ///   - trustsSystem: whether the system's count at all.
    ///   - newest: the highest version that is offered.
    ///   - time: by whose wall clock certificates are valid.
    /// - Throws: where `authorities` holds no certificate, or one that cannot be read.
    package init(
        authorities: [UInt8]? = nil, trustsSystem: Bool = true, newest: TLSHandshake.Version = .tls13,
        time: any TimeSource = SystemTime()
    ) throws(CryptoError) {
        self.time = time
        context = try TLSContext(TLS_client_method())
        try check(
            gate_ssl_ctx_set_max_version(context.pointer, newest == .tls12 ? TLS1_2_VERSION : TLS1_3_VERSION), "limit the version of TLS")
        SSL_CTX_set_verify(context.pointer, SSL_VERIFY_PEER, TLSEngine.verification)
        if trustsSystem { try check(SSL_CTX_set_default_verify_paths(context.pointer), "read the system's authorities") }
        if let authorities { try Self.add(authorities, to: context.pointer) }
    }

    private static func add(_ authorities: [UInt8], to context: OpaquePointer) throws(CryptoError) {
        let source = try MemoryBIO(authorities)
        let store = SSL_CTX_get_cert_store(context)
        var count = 0
        while let certificate = source.withPointer({ PEM_read_bio_X509($0, nil, refusePassphrase, nil) }) {
            defer { X509_free(certificate) }
            try check(X509_STORE_add_cert(store, certificate), "trust an authority")
            count += 1
        }
        let last = ERR_peek_last_error()
        let error = CryptoError.drained("read the trusted authorities")
        // The end of the file is told as "no start line".
        guard count > 0, ERR_GET_LIB(last) == ERR_LIB_PEM, ERR_GET_REASON(last) == PEM_R_NO_START_LINE else { throw error }
    }
}
