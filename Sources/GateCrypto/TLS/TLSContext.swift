import COpenSSL

/// An SSL_CTX: what many connections share. Freed with this; connections keep what they use of it.
final class TLSContext: @unchecked Sendable {
    // Set up before it is shared and not changed afterwards; libssl then allows SSL_new and handshakes from any thread.
    let pointer: OpaquePointer

    /// What both sides want: TLS 1.2 and 1.3, authenticated encryption and forward secrecy only, nothing of compression, renegotiation
    /// and the session cache.
    init(_ method: OpaquePointer?, in library: CryptoLibrary = .shared) throws(CryptoError) {
        pointer = try check(SSL_CTX_new_ex(library.pointer, nil, method), "make a TLS context")
        gate_ssl_ctx_harden(pointer)
        SSL_CTX_set_security_level(pointer, 2)
        try check(gate_ssl_ctx_set_min_version(pointer, TLS1_2_VERSION), "demand TLS 1.2")
        try check(SSL_CTX_set_ciphersuites(pointer, Self.suites13), "choose the cipher suites of TLS 1.3")
        try check(SSL_CTX_set_cipher_list(pointer, Self.suites12), "choose the cipher suites of TLS 1.2")
        // A library before 3.5 does not know the first.
        if gate_ssl_ctx_set_groups(pointer, "X25519MLKEM768:\(Self.groups)") != 1 {
            ERR_clear_error()
            try check(gate_ssl_ctx_set_groups(pointer, Self.groups), "choose the groups of the key exchange")
        }
    }

    deinit { SSL_CTX_free(pointer) }

    // AES-128 first: as strong as any key exchange here, and a quarter faster. Clients without AES in hardware put ChaCha20 first, and
    // are followed (SSL_OP_PRIORITIZE_CHACHA).
    private static let suites13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
    private static let suites12 = """
        ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:\
        ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305
        """
    private static let groups = "X25519:P-256:P-384"
}
