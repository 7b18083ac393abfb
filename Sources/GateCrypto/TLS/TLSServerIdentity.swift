import COpenSSL
import GateCore

/// A certificate with its key, ready to serve: one SSL_CTX, shared by all connections that it is chosen for.
package final class TLSServerIdentity: Sendable {
    let context: TLSContext
    /// The DNS names of the certificate in lower case, wildcards (`*.example.com`) among them.
    package let names: [String]

    /// - Parameter oldest: the oldest version of TLS that is spoken.
    /// - Throws: where the chain or the key cannot be read, or they do not belong together.
    package init(_ certified: CertifiedKey, oldest: TLSHandshake.Version = .tls12) throws(CryptoError) {
        context = try TLSContext(TLS_server_method())
        if oldest == .tls13 { try check(gate_ssl_ctx_set_min_version(context.pointer, TLS1_3_VERSION), "demand TLS 1.3") }
        names = try Self.use(certified, in: context.pointer)
        TLSServerCallbacks.install(in: context.pointer)
    }

    private static func use(_ certified: CertifiedKey, in context: OpaquePointer) throws(CryptoError) -> [String] {
        let bio = try memoryBIO(certified.chain)
        defer { BIO_free(bio) }
        let leaf = try check(PEM_read_bio_X509(bio, nil, refusePassphrase, nil), "read a certificate")
        defer { X509_free(leaf) }
        try check(SSL_CTX_use_certificate(context, leaf), "use a certificate")
        while let issuer = PEM_read_bio_X509(bio, nil, refusePassphrase, nil) {
            guard gate_ssl_ctx_add_chain(context, issuer) == 1 else {
                X509_free(issuer)
                throw .drained("use the issuer of a certificate")
            }
        }
        // The end of the text is reported as an error too.
        ERR_clear_error()
        try useKey(certified.key, in: context)
        return alternativeNames(leaf)
    }

    private static func useKey(_ key: Secret, in context: OpaquePointer) throws(CryptoError) {
        let bio = try memoryBIO(key.exposed)
        defer { BIO_free(bio) }
        let pointer = try check(PEM_read_bio_PrivateKey(bio, nil, refusePassphrase, nil), "read a private key")
        defer { EVP_PKEY_free(pointer) }
        try check(SSL_CTX_use_PrivateKey(context, pointer), "use the private key of a certificate")
        try check(SSL_CTX_check_private_key(context), "match a private key with its certificate")
    }

    static func alternativeNames(_ certificate: OpaquePointer) -> [String] {
        guard let raw = X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else {
            ERR_clear_error()
            return []
        }
        let names = OpaquePointer(raw)
        defer { GENERAL_NAMES_free(names) }
        return (0..<OPENSSL_sk_num(names)).compactMap { index in
            var type: Int32 = 0
            guard let name = OPENSSL_sk_value(names, index)?.assumingMemoryBound(to: GENERAL_NAME.self),
                let value = GENERAL_NAME_get0_value(name, &type), type == GEN_DNS
            else { return nil }
            let text = value.assumingMemoryBound(to: ASN1_STRING.self)
            guard let start = ASN1_STRING_get0_data(text) else { return nil }
            return String(decoding: UnsafeBufferPointer(start: start, count: Int(ASN1_STRING_length(text))), as: UTF8.self).lowercased()
        }
    }
}

/// Without it, OpenSSL would ask for the passphrase of an encrypted key on the terminal.
private let refusePassphrase: @convention(c) (UnsafeMutablePointer<CChar>?, Int32, Int32, UnsafeMutableRawPointer?) -> Int32 = {
    _, _, _, _ in -1
}

/// A BIO to read PEM from, holding a copy of `bytes`.
func memoryBIO(_ bytes: [UInt8]) throws(CryptoError) -> OpaquePointer {
    let bio = try check(BIO_new(BIO_s_mem()), "make a buffer")
    guard bytes.isEmpty || BIO_write(bio, bytes, Int32(clamping: bytes.count)) == bytes.count else {
        BIO_free(bio)
        throw .drained("fill a buffer")
    }
    return bio
}
