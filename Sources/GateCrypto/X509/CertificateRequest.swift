import COpenSSL

/// A certification request (PKCS #10, RFC 2986).
package enum CertificateRequest {
    /// In DER, signed with `key`. The names stand in the subject alternative name alone; as the subject is empty, that extension is
    /// critical (RFC 5280 §4.1.2.6).
    ///
    /// - Parameter names: at least one.
    package static func make(for names: [CertificateName], key: CertificateKey) throws(CertificateError) -> [UInt8] {
        guard !names.isEmpty else { throw .invalidName("") }
        let handle = try KeyHandle(pem: key.pem)
        do throws(CryptoError) {
            return try handle.withPointer { pointer throws(CryptoError) in try der(names, key.algorithm, pointer) }
        } catch {
            throw .cryptography(error)
        }
    }

    private static func der(
        _ names: [CertificateName], _ algorithm: CertificateKey.Algorithm, _ key: OpaquePointer
    ) throws(CryptoError) -> [UInt8] {
        let request = try check(X509_REQ_new(), "make a certification request")
        defer { X509_REQ_free(request) }
        try check(X509_REQ_set_version(request, 0), "make a certification request")
        try check(X509_REQ_set_pubkey(request, key), "make a certification request")
        var extensions: OpaquePointer?
        defer { OPENSSL_sk_free(extensions) }
        try CertificateExtension.subjectAlternativeName(names, isCritical: true).withPointer { item in
            extensions = OPENSSL_sk_new_null()
            guard OPENSSL_sk_push(extensions, UnsafeRawPointer(item)) == 1 else { return 0 }
            // Copies what is in the stack.
            return X509_REQ_add_extensions(request, extensions)
        }
        // Ed25519 hashes by itself.
        let digest = algorithm == .ed25519 ? nil : MessageDigest.sha256.pointer
        guard X509_REQ_sign(request, key, digest) > 0 else { throw .drained("sign a certification request") }
        let size = i2d_X509_REQ(request, nil)
        guard size > 0 else { throw .drained("write a certification request") }
        return [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, count in
            var place = buffer.baseAddress
            count = Int(i2d_X509_REQ(request, &place))
        }
    }
}
