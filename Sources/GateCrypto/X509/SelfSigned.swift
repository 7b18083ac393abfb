package import GateCore

extension CertifiedKey {
    /// A certificate that signed itself, with a new P-256 key: for the time until a trusted one has come.
    ///
    /// - Parameters:
    ///   - names: at least one.
    ///   - backdating: it is valid from that long before `now`, for clients whose clock is slow.
    package static func selfSigned(
        for names: [CertificateName], at now: Timestamp, lifetime: Duration = .seconds(7 * 86_400), backdating: Duration = .seconds(3600),
        entropy: some Entropy
    ) throws(CertificateError) -> CertifiedKey {
        guard let first = names.first else { throw .invalidName("") }
        return try selfSigned(
            CertificateDraft(
                commonName: first.fittingCommonName, serial: serial(entropy), notBefore: now - backdating, notAfter: now + lifetime,
                extensions: CertificateExtension.server + [.subjectAlternativeName(names, isCritical: false)]),
            entropy: entropy)
    }

    /// What a handshake with the protocol `acme-tls/1` for `name` is answered with (RFC 8737 §3; for addresses RFC 8738 §4): that one
    /// name, and the hash of the key authorization in a critical extension.
    package static func tlsALPN01Challenge(
        for name: CertificateName, keyAuthorization: String, at now: Timestamp, entropy: some Entropy
    ) throws(CertificateError) -> CertifiedKey {
        try selfSigned(
            CertificateDraft(
                commonName: "ACME challenge", serial: serial(entropy), notBefore: now - .seconds(3600), notAfter: now + .seconds(86_400),
                extensions: CertificateExtension.server + [
                    .subjectAlternativeName([name], isCritical: false), .acmeIdentifier(keyAuthorization: keyAuthorization),
                ]),
            entropy: entropy)
    }

    private static func selfSigned(_ draft: CertificateDraft, entropy: some Entropy) throws(CertificateError) -> CertifiedKey {
        let key = try CertificateKey.generate(.p256, entropy: entropy)
        let handle = try KeyHandle(pem: key.pem)
        let signed: X509Handle
        do throws(CryptoError) { signed = try draft.selfSigned(by: handle) } catch { throw .cryptography(error) }
        let certificate = try Certificate(signed, position: 1)
        return try CertifiedKey(chain: try PEM.encode([certificate]), key: key.pem)
    }

    /// 127 random bits: positive, and never as short as to begin with a zero byte (RFC 5280 §4.1.2.2).
    private static func serial(_ entropy: some Entropy) -> [UInt8] {
        var serial = entropy.bytes(16)
        serial[0] = serial[0] & 0x7F | 0x40
        return serial
    }
}

extension CertificateName {
    /// A common name has 64 characters at most (RFC 5280, ub-common-name).
    var fittingCommonName: String { description.utf8.count <= 64 ? description : "gatehouse" }
}
