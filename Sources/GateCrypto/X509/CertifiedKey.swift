import COpenSSL
package import GateCore

/// A certificate chain with the private key of its leaf, as files and the ACME protocol carry them. It was checked that they fit
/// together; whether it has expired, and whom it is good for, is the caller's to ask of ``leaf``.
package struct CertifiedKey: Sendable {
    /// PEM (RFC 7468), the leaf first, then its issuers.
    package let chain: [UInt8]
    /// PEM, PKCS #8 or the traditional forms.
    package let key: Secret
    /// The certificates of ``chain``; at least one.
    package let certificates: [Certificate]
    package let algorithm: CertificateKey.Algorithm

    package var leaf: Certificate { certificates[0] }

    /// - Throws: what is wrong with the certificates (`noCertificate`, `malformedCertificate`, `wrongOrder`), with the key (`noKey`,
    ///   `malformedKey`, `encryptedKey`, `weakKey`), or that they do not belong together (`keyMismatch`). An expired certificate is
    ///   taken.
    package init(chain: [UInt8], key: Secret) throws(CertificateError) {
        let certificates = try PEM.certificates(chain)
        let handle = try KeyHandle(pem: key)
        algorithm = try CertificateKey.algorithm(of: handle)
        try Self.requireMatch(certificates, handle)
        try Self.requireOrder(certificates)
        self.chain = chain
        self.key = key
        self.certificates = certificates
    }

    private static func requireMatch(_ certificates: [Certificate], _ key: borrowing KeyHandle) throws(CertificateError) {
        var owner: Int?
        for (index, certificate) in certificates.enumerated() where owner == nil {
            do throws(CryptoError) {
                let handle = try X509Handle(der: certificate.der)
                let fits = handle.withPointer { x509 in key.withPointer { X509_check_private_key(x509, $0) } }
                if fits == 1 { owner = index }
            } catch {
                throw .cryptography(error)
            }
        }
        ERR_clear_error()
        switch owner {
        case 0: return
        case .some(let index): throw .wrongOrder(position: 1, reason: "the key belongs to certificate \(index + 1)")
        case nil: throw .keyMismatch(reason: "the certificate for \(certificates[0].title) was made with another key")
        }
    }

    /// Each is signed by the next, as TLS 1.2 demands (RFC 5246 §7.4.2) and strict clients still do.
    private static func requireOrder(_ certificates: [Certificate]) throws(CertificateError) {
        for (index, (certificate, issuer)) in zip(certificates, certificates.dropFirst()).enumerated() {
            let isIssued: Bool
            do throws(CryptoError) {
                let subject = try X509Handle(der: certificate.der)
                let authority = try X509Handle(der: issuer.der)
                isIssued = subject.withPointer { subject in
                    authority.withPointer { authority in
                        X509_check_issued(authority, subject) == X509_V_OK
                            && X509_verify(subject, X509_get0_pubkey(authority)) == 1
                    }
                }
            } catch {
                throw .cryptography(error)
            }
            ERR_clear_error()
            guard isIssued else {
                throw .wrongOrder(position: index + 1, reason: "\(certificate.title) was not issued by \(issuer.title), which follows")
            }
        }
    }
}

extension Certificate {
    /// For messages.
    var title: String { names.first?.description ?? subject ?? "serial \(Hex.encode(serial))" }
}
