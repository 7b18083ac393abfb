import GateCore
import GateCrypto

/// Certificates and keys come from files and from authorities: DER as it is, and what stands in PEM.
func fuzzCertificate(_ bytes: [UInt8]) {
    if let certificate = try? Certificate(der: bytes) { requireSound(certificate) }
    if let chain = try? PEM.certificates(bytes) {
        chain.forEach(requireSound)
        let again = try? PEM.certificates((try? PEM.encode(chain)) ?? [])
        require(again == chain, "a chain is read the same after it was written")
    }
    if let key = try? CertificateKey(pem: Secret(bytes)) {
        let again = try? CertificateKey(pem: (try? key.pkcs8()) ?? Secret([]))
        require(again?.algorithm == key.algorithm, "a key is read the same after it was written")
    }
    _ = try? CertifiedKey(chain: bytes, key: Secret(bytes))
}

private func requireSound(_ certificate: Certificate) {
    require((try? Certificate(der: certificate.der)) == certificate, "what was read is read the same again")
    require(certificate.names.allSatisfy { (try? CertificateName($0.description)) == $0 }, "every name is a name")
    require(!certificate.serial.isEmpty && certificate.fingerprint.count == 32, "there is a serial number")
}
