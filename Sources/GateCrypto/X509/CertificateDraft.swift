import COpenSSL
import GateCore

/// An extension to be signed (RFC 5280 §4.2): its object identifier in dotted form, and its value in DER.
struct CertificateExtension {
    let identifier: String
    let isCritical: Bool
    let value: [UInt8]

    static func subjectAlternativeName(_ names: [CertificateName], isCritical: Bool) -> CertificateExtension {
        let value = DER.sequence(
            names.map { name in
                switch name {
                case .dns(let name): DER.tagged(UInt8(GEN_DNS), Array(name.utf8))
                case .address(let address): DER.tagged(UInt8(GEN_IPADD), CertificateName.octets(of: address))
                }
            })
        return CertificateExtension(identifier: "2.5.29.17", isCritical: isCritical, value: value)
    }

    /// RFC 8737 §3: critical, so that no client takes the certificate for an ordinary one.
    static func acmeIdentifier(keyAuthorization: String) -> CertificateExtension {
        CertificateExtension(
            identifier: "1.3.6.1.5.5.7.1.31", isCritical: true,
            value: DER.octetString(SHA256.hash(Array(keyAuthorization.utf8))))
    }

    /// Not an authority, signs handshakes, for servers.
    static let server = [
        CertificateExtension(identifier: "2.5.29.19", isCritical: true, value: DER.sequence([])),
        // BIT STRING, seven unused bits, digitalSignature.
        CertificateExtension(identifier: "2.5.29.15", isCritical: true, value: [0x03, 0x02, 0x07, 0x80]),
        // 1.3.6.1.5.5.7.3.1, serverAuth.
        CertificateExtension(
            identifier: "2.5.29.37", isCritical: false,
            value: DER.sequence([[0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01]])),
    ]

    /// Calls `body` with it as OpenSSL holds it.
    func withPointer(_ body: (OpaquePointer) -> Int32) throws(CryptoError) {
        let object = try check(OBJ_txt2obj(identifier, 1), "write the extension \(identifier)")
        defer { ASN1_OBJECT_free(object) }
        let octets = try check(ASN1_OCTET_STRING_new(), "write the extension \(identifier)")
        defer { ASN1_OCTET_STRING_free(octets) }
        try check(ASN1_OCTET_STRING_set(octets, value, Int32(value.count)), "write the extension \(identifier)")
        let pointer = try check(
            X509_EXTENSION_create_by_OBJ(nil, object, isCritical ? 1 : 0, octets), "write the extension \(identifier)")
        defer { X509_EXTENSION_free(pointer) }
        try check(body(pointer), "add the extension \(identifier)")
    }
}

/// A certificate about to sign itself.
struct CertificateDraft {
    var commonName: String
    var serial: [UInt8]
    var notBefore: Timestamp
    var notAfter: Timestamp
    var extensions: [CertificateExtension]

    func selfSigned(by key: borrowing KeyHandle) throws(CryptoError) -> X509Handle {
        let made = try check(X509_new(), "make a certificate")
        let handle = X509Handle(owning: made)
        try handle.withPointer { x509 throws(CryptoError) in
            try key.withPointer { key throws(CryptoError) in try fill(x509, key) }
        }
        return handle
    }

    /// Both pointers are borrowed.
    private func fill(_ x509: OpaquePointer, _ key: OpaquePointer) throws(CryptoError) {
        // Version 3 is written as 2.
        try check(X509_set_version(x509, 2), "make a certificate")
        let number = try check(BN_bin2bn(serial, Int32(serial.count), nil), "write the serial number")
        defer { BN_free(number) }
        _ = try check(BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)), "write the serial number")
        _ = try check(ASN1_TIME_set(X509_getm_notBefore(x509), Int(notBefore.seconds)), "write notBefore")
        _ = try check(ASN1_TIME_set(X509_getm_notAfter(x509), Int(notAfter.seconds)), "write notAfter")
        let subject = X509_get_subject_name(x509)
        let text = Array(commonName.utf8)
        try check(
            X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8, text, Int32(text.count), -1, 0), "write the subject")
        try check(X509_set_issuer_name(x509, subject), "write the issuer")
        try check(X509_set_pubkey(x509, key), "write the public key")
        let identifier = try Self.keyIdentifier(of: key)
        let identifiers = [
            CertificateExtension(identifier: "2.5.29.14", isCritical: false, value: DER.octetString(identifier)),
            CertificateExtension(identifier: "2.5.29.35", isCritical: false, value: DER.sequence([DER.tagged(0, identifier)])),
        ]
        for item in extensions + identifiers { try item.withPointer { X509_add_ext(x509, $0, -1) } }
        guard X509_sign(x509, key, MessageDigest.sha256.pointer) > 0 else { throw .drained("sign a certificate") }
    }

    /// RFC 7093 §2, method 4: the first 20 bytes of the SHA-256 of the key as it stands in the certificate.
    private static func keyIdentifier(of key: OpaquePointer) throws(CryptoError) -> [UInt8] {
        let size = i2d_PUBKEY(key, nil)
        guard size > 0 else { throw .drained("write a public key") }
        let der = [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, count in
            var place = buffer.baseAddress
            count = Int(i2d_PUBKEY(key, &place))
        }
        return Array(SHA256.hash(der).prefix(20))
    }
}
