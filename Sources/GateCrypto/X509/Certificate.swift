import COpenSSL
package import GateCore

/// What an X.509 certificate (RFC 5280) says, as values. That it was parsed says nothing about whether to trust it.
package struct Certificate: Hashable, Sendable {
    package let der: [UInt8]
    /// The dNSNames of the subject alternative name, in lower case, wildcards among them. What is no host name is left out.
    package let dnsNames: [String]
    /// Its iPAddresses.
    package let addresses: [IPAddress]
    package let notBefore: Timestamp
    /// The last second of its life.
    package let notAfter: Timestamp
    /// The common name; `nil` where there is none, as is the custom now.
    package let subject: String?
    /// The common name of who issued it, or else the organisation.
    package let issuer: String?
    /// The content of the INTEGER: big-endian, two's complement, so that a leading zero may stand there.
    package let serial: [UInt8]
    /// The keyIdentifier of the authority key identifier (RFC 5280 §4.2.1.1).
    package let authorityKeyIdentifier: [UInt8]?
    /// Whether its own key signed it.
    package let isSelfSigned: Bool
    /// Whether it may issue others (basicConstraints).
    package let isAuthority: Bool
    /// SHA-256 of the DER, 32 bytes.
    package let fingerprint: [UInt8]

    /// - Throws: `malformedCertificate` where `der` is not exactly one certificate.
    package init(der: [UInt8]) throws(CertificateError) {
        let handle: X509Handle
        do throws(CryptoError) { handle = try X509Handle(der: der) } catch {
            throw .malformedCertificate(position: 1, reason: PEM.reason(error))
        }
        try self.init(handle, position: 1)
    }

    /// The first certificate of a PEM text.
    package init(pem: [UInt8]) throws(CertificateError) { self = try PEM.certificates(pem)[0] }

    /// - Parameter position: in its file, from one: for the message.
    init(_ handle: borrowing X509Handle, position: Int) throws(CertificateError) {
        do throws(CryptoError) {
            let der = try handle.der()
            self = try handle.withPointer { x509 throws(CryptoError) in try Self(reading: x509, der: der) }
        } catch {
            throw .malformedCertificate(position: position, reason: PEM.reason(error))
        }
    }

    /// - Parameter x509: borrowed for the call.
    private init(reading x509: OpaquePointer, der: [UInt8]) throws(CryptoError) {
        self.der = der
        (dnsNames, addresses) = try X509Fields.alternativeNames(x509)
        notBefore = try X509Fields.timestamp(X509_get0_notBefore(x509), "notBefore")
        notAfter = try X509Fields.timestamp(X509_get0_notAfter(x509), "notAfter")
        subject = X509Fields.text(X509_get_subject_name(x509), NID_commonName)
        issuer =
            X509Fields.text(X509_get_issuer_name(x509), NID_commonName)
            ?? X509Fields.text(X509_get_issuer_name(x509), NID_organizationName)
        serial = try X509Fields.content(of: X509_get0_serialNumber(x509))
        authorityKeyIdentifier = X509_get0_authority_key_id(x509).map(X509Fields.octets)
        isSelfSigned = X509_self_signed(x509, 1) == 1
        isAuthority = X509_check_ca(x509) > 0
        // What the two above leave behind must not be blamed on the next call.
        ERR_clear_error()
        fingerprint = SHA256.hash(der)
    }

    /// All names, as a request for such a certificate would list them.
    package var names: [CertificateName] { dnsNames.map { .dns($0) } + addresses.map { .address($0) } }

    /// From the first to the last second.
    package var lifetime: Duration { notAfter - notBefore }

    package func isValid(at now: Timestamp) -> Bool { notBefore <= now && now <= notAfter }

    /// Whether it is good for `name`: exactly, or by a wildcard in the place of one whole label (RFC 9525 §6.3). The common name is
    /// not looked at.
    package func covers(_ name: CertificateName) -> Bool {
        switch name {
        case .address(let address): return addresses.contains(address)
        case .dns(let name):
            if dnsNames.contains(name) { return true }
            guard let dot = name.firstIndex(of: "."), !name.hasPrefix("*") else { return false }
            return dnsNames.contains("*" + name[dot...])
        }
    }

    /// How ACME renewal information names it (RFC 9773 §4.1); `nil` without an authority key identifier.
    package var renewalIdentifier: String? {
        authorityKeyIdentifier.map { Base64URL.encode($0) + "." + Base64URL.encode(serial) }
    }
}
