import COpenSSL

/// A certificate with its key, ready to serve: one SSL_CTX, shared by all connections that it is chosen for.
package final class TLSServerIdentity: Sendable {
    let context: TLSContext
    /// The DNS names of the certificate in lower case, wildcards (`*.example.com`) among them.
    package let names: [String]

    /// - Parameter oldest: the oldest version of TLS that is spoken.
    /// - Throws: where libssl does not take them, such as a key that its security level finds too weak.
    package init(_ certified: CertifiedKey, oldest: TLSHandshake.Version = .tls12) throws(CryptoError) {
        names = certified.leaf.dnsNames
        context = try TLSContext(TLS_server_method())
        if oldest == .tls13 { try check(gate_ssl_ctx_set_min_version(context.pointer, TLS1_3_VERSION), "demand TLS 1.3") }
        try Self.use(certified, in: context.pointer)
        TLSServerCallbacks.install(in: context.pointer)
    }

    private static func use(_ certified: CertifiedKey, in context: OpaquePointer) throws(CryptoError) {
        let leaf = try X509Handle(der: certified.leaf.der)
        try check(leaf.withPointer { SSL_CTX_use_certificate(context, $0) }, "use a certificate")
        for issuer in certified.certificates.dropFirst() {
            let issuer = try X509Handle(der: issuer.der)
            try check(issuer.withPointer { gate_ssl_ctx_add_chain(context, $0) }, "use the issuer of a certificate")
        }
        let key: KeyHandle
        do throws(CertificateError) { key = try KeyHandle(pem: certified.key) } catch {
            throw CryptoError("use the private key of a certificate: \(error)")
        }
        try check(key.withPointer { SSL_CTX_use_PrivateKey(context, $0) }, "use the private key of a certificate")
        try check(SSL_CTX_check_private_key(context), "match a private key with its certificate")
    }
}
