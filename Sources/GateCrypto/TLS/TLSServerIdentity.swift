import COpenSSL
import Synchronization

/// A certificate with its key, ready to serve: one SSL_CTX for each library, shared by all connections that it is chosen for.
package final class TLSServerIdentity: Sendable {
    /// The DNS names of the certificate in lower case, wildcards (`*.example.com`) among them.
    package let names: [String]
    private let certified: CertifiedKey
    private let oldest: TLSHandshake.Version
    private let contexts: Mutex<[ObjectIdentifier: TLSContext]>

    /// - Parameter oldest: the oldest version of TLS that is spoken.
    /// - Throws: where libssl does not take them, such as a key that its security level finds too weak.
    package init(_ certified: CertifiedKey, oldest: TLSHandshake.Version = .tls12) throws(CryptoError) {
        names = certified.leaf.dnsNames
        self.certified = certified
        self.oldest = oldest
        let first = try Self.context(certified, oldest, in: .shared)
        contexts = Mutex([ObjectIdentifier(CryptoLibrary.shared): first])
    }

    /// Made when the first connection of that library asks for it.
    func context(in library: CryptoLibrary) throws(CryptoError) -> TLSContext {
        try contexts.withLock { contexts throws(CryptoError) in
            if let context = contexts[ObjectIdentifier(library)] { return context }
            let made = try Self.context(certified, oldest, in: library)
            contexts[ObjectIdentifier(library)] = made
            return made
        }
    }

    private static func context(
        _ certified: CertifiedKey, _ oldest: TLSHandshake.Version, in library: CryptoLibrary
    ) throws(CryptoError) -> TLSContext {
        let context = try TLSContext(TLS_server_method(), in: library)
        if oldest == .tls13 { try check(gate_ssl_ctx_set_min_version(context.pointer, TLS1_3_VERSION), "demand TLS 1.3") }
        try use(certified, in: context.pointer, library)
        TLSServerCallbacks.install(in: context.pointer)
        return context
    }

    private static func use(_ certified: CertifiedKey, in context: OpaquePointer, _ library: CryptoLibrary) throws(CryptoError) {
        let leaf = try X509Handle(der: certified.leaf.der, in: library)
        try check(leaf.withPointer { SSL_CTX_use_certificate(context, $0) }, "use a certificate")
        for issuer in certified.certificates.dropFirst() {
            let issuer = try X509Handle(der: issuer.der, in: library)
            try check(issuer.withPointer { gate_ssl_ctx_add_chain(context, $0) }, "use the issuer of a certificate")
        }
        let key: KeyHandle
        do throws(CertificateError) { key = try KeyHandle(pem: certified.key, in: library) } catch {
            throw CryptoError("use the private key of a certificate: \(error)")
        }
        try check(key.withPointer { SSL_CTX_use_PrivateKey(context, $0) }, "use the private key of a certificate")
        try check(SSL_CTX_check_private_key(context), "match a private key with its certificate")
    }
}
