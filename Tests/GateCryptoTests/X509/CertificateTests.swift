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
        #expect(certificate.notAfter.rfc3339 == "0001-01-01T00:00:00.000Z")
    }

    @Test("What openssl wrote is read the same")
    func oracle() throws {
        let authority = CommandLineAuthority()
        authority.make(
            "leaf", subject: "/CN=Leaf",
            extensions: "subjectAltName=DNS:App.Example.com,DNS:*.example.org,DNS:bad name,IP:192.0.2.1,IP:2001:db8::5,email:a@b.test",
            signedBy: "middle", days: 47)
        let leaf = try Certificate(pem: authority.read("leaf.pem"))
        #expect(leaf.dnsNames == ["app.example.com", "*.example.org"])
        #expect(leaf.addresses == [IPAddress("192.0.2.1"), IPAddress("2001:db8::5")])
        #expect(leaf.subject == "Leaf" && leaf.issuer == "Test Intermediate")
        #expect(leaf.lifetime == .seconds(47 * 86_400) && leaf.isValid(at: SystemTime().now()))
        #expect(!leaf.isSelfSigned && !leaf.isAuthority)
        let shown = OpenSSLCommand.run("x509 -in \(authority.path("leaf", "pem")) -noout -fingerprint -sha256 -serial").text
        #expect(shown.replacing(":", with: "").contains("=\(Hex.encode(leaf.fingerprint).uppercased())"))
        #expect(shown.contains("serial=\(Hex.encode(leaf.serial.drop { $0 == 0 }).uppercased())"))
        let root = try Certificate(pem: authority.read("root.pem"))
        #expect(root.isSelfSigned && root.isAuthority)
        #expect(try Certificate(pem: authority.read("middle.pem")).isAuthority)
        let again = try PEM.certificates(try PEM.encode([leaf, root]))
        #expect(again == [leaf, root])
        #expect(try Certificate(der: leaf.der) == leaf)
    }

    @Test(
        "Which names a certificate covers",
        arguments: [
            ("app.example.com", true), ("example.com", false), ("a.wild.test", true), ("a.b.wild.test", false), ("wild.test", false),
            ("*.wild.test", true), ("192.0.2.9", true), ("192.0.2.8", false), ("2001:db8::9", true), ("xapp.example.com", false),
        ])
    func covers(name: String, expected: Bool) throws {
        let made = try CertifiedKey.selfSigned(
            for: [.dns("app.example.com"), .dns("*.wild.test"), CertificateName("192.0.2.9"), CertificateName("2001:db8::9")],
            at: SystemTime().now(), entropy: SystemEntropy())
        #expect(made.leaf.covers(try CertificateName(name)) == expected)
    }

    @Test(
        "Names are host names, wildcards or addresses",
        arguments: [
            ("Example.COM", "example.com"), ("*.example.com", "*.example.com"), ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("_acme.example.com", "_acme.example.com"), ("localhost", "localhost"), ("192.0.2.1", "192.0.2.1"),
            ("[2001:DB8::1]", "2001:db8::1"),
            ("", nil), ("a..b", nil), (".a.test", nil), ("a.test.", nil), ("*.test", nil), ("a.*.test", nil), ("*", nil), ("a b.test", nil),
            ("a\u{0}.test", nil), ("b\u{FC}cher.test", nil), ("\u{212A}.test", nil), ("1.2.3.400", nil), ("a.123", nil), ("a,b.test", nil),
            (String(repeating: "a", count: 64) + ".test", nil), (String(repeating: "a.", count: 127) + "test", nil),
        ] as [(String, String?)])
    func names(text: String, expected: String?) {
        #expect((try? CertificateName(text))?.description == expected)
    }

    @Test("What is no certificate is refused, and leaves no error of OpenSSL behind")
    func hostile() throws {
        let good = Array(Self.rfc9773.utf8)
        let der = try Certificate(pem: good).der
        for length in stride(from: 0, to: der.count, by: 7) {
            #expect(throws: CertificateError.self) { try Certificate(der: Array(der[..<length])) }
        }
        #expect(throws: CertificateError.self) { try Certificate(der: der + [0]) }
        for length in stride(from: 0, to: good.count - 1, by: 11) {
            #expect(throws: CertificateError.self) { try PEM.certificates(Array(good[..<length])) }
        }
        for text in [
            "", "-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
        ] { #expect(throws: CertificateError.self) { try PEM.certificates(Array(text.utf8)) } }
        #expect(throws: CertificateError.noCertificate) { try PEM.certificates(Array("nothing\n".utf8)) }
        let second = String(decoding: good, as: UTF8.self) + "\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        let error = #expect(throws: CertificateError.self) { try PEM.certificates(Array(second.utf8)) }
        guard case .malformedCertificate(position: 2, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        let many = [[UInt8]](repeating: good + [0x0A], count: 33).flatMap { $0 }
        #expect(throws: CertificateError.tooLarge(reason: "there are more than 32 certificates in it")) { try PEM.certificates(many) }
        #expect(throws: CertificateError.tooLarge(reason: "it is larger than 1 MiB")) {
            try PEM.certificates([UInt8](repeating: 0x41, count: PEM.maximumSize + 1))
        }
        #expect(CryptoError.drained("look").reasons.isEmpty)
    }

    @Test("No flipped bit brings the reader down, and what is still read is read the same again")
    func flippedBits() throws {
        let der = try CertifiedKey.selfSigned(for: [.dns("a.test")], at: SystemTime().now(), entropy: SeededEntropy()).leaf.der
        var read = 0
        for bit in 0..<der.count * 8 {
            var bytes = der
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            guard let certificate = try? Certificate(der: bytes) else { continue }
            read += 1
            let again = try? Certificate(der: certificate.der)
            #expect(again == certificate)
        }
        #expect(read > 100)
        #expect(CryptoError.drained("look").reasons.isEmpty)
    }
}
