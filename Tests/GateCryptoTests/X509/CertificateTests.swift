import GateCore
import GateTesting
import Testing

@testable import GateCrypto

@Suite("Certificates read")
struct CertificateTests {
    /// The certificate of RFC 9773, Appendix A.
    static let rfc9773 = """
        -----BEGIN CERTIFICATE-----
        MIIBQzCB66ADAgECAgUAh2VDITAKBggqhkjOPQQDAjAVMRMwEQYDVQQDEwpFeGFt
        cGxlIENBMCIYDzAwMDEwMTAxMDAwMDAwWhgPMDAwMTAxMDEwMDAwMDBaMBYxFDAS
        BgNVBAMTC2V4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeBZu
        7cbpAYNXZLbbh8rNIzuOoqOOtmxA1v7cRm//AwyMwWxyHz4zfwmBhcSrf47NUAFf
        qzLQ2PPQxdTXREYEnKMjMCEwHwYDVR0jBBgwFoAUaYhba4dGQEHhs3uEe6CuLN4B
        yNQwCgYIKoZIzj0EAwIDRwAwRAIge09+S5TZAlw5tgtiVvuERV6cT4mfutXIlwTb
        +FYN/8oCIClDsqBklhB9KAelFiYt9+6FDj3z4KGVelYM5MdsO3pK
        -----END CERTIFICATE-----
        """

    @Test("RFC 9773 Appendix A: the identifier for renewal information")
    func renewalIdentifier() throws {
        let certificate = try Certificate(pem: Array(Self.rfc9773.utf8))
        #expect(certificate.renewalIdentifier == "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE")
        #expect(certificate.serial == [0x00, 0x87, 0x65, 0x43, 0x21])
        #expect(certificate.issuer == "Example CA" && certificate.subject == "example.com")
        #expect(certificate.dnsNames.isEmpty && !certificate.isSelfSigned)
    }
}
