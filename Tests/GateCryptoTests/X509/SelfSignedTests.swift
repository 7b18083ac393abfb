import GateCore
import GateTesting
import Testing

@testable import GateCrypto

@Suite("Certificates made here")
struct SelfSignedTests {
    let folder = TemporaryFolder()
    let now = SystemTime().now()

    private func inspect(_ made: CertifiedKey) -> String {
        folder.write("c.pem", bytes: made.chain)
        return OpenSSLCommand.run("x509 -in \(folder.file("c.pem")) -noout -text").text
    }

    @Test("A self-signed certificate names what was asked for, and openssl reads and trusts it as its own root")
    func selfSigned() throws {
        let names: [CertificateName] = [
            .dns("app.example.com"), .dns("*.example.com"), try CertificateName("192.0.2.7"), try CertificateName("2001:db8::1"),
        ]
        let made = try CertifiedKey.selfSigned(for: names, at: now, lifetime: .seconds(3 * 86_400), entropy: SeededEntropy())
        let text = inspect(made)
        for expected in [
            "DNS:app.example.com, DNS:*.example.com, IP Address:192.0.2.7, IP Address:2001:DB8:0:0:0:0:0:1", "Public-Key: (256 bit)",
            "CA:FALSE", "TLS Web Server Authentication", "ecdsa-with-SHA256", "Issuer: CN = app.example.com", "Version: 3 (0x2)",
        ] { #expect(text.contains(expected), "\(expected) in \(text)") }
        let verified = OpenSSLCommand.run(
            "verify -x509_strict -purpose sslserver -verify_hostname www.example.com -CAfile \(folder.file("c.pem")) \(folder.file("c.pem"))"
        )
        #expect(verified.succeeded, "\(verified.text)")
        #expect(made.leaf.names == names)
        #expect(made.leaf.isSelfSigned && !made.leaf.isAuthority)
        #expect(made.leaf.notAfter.seconds == (now + .seconds(3 * 86_400)).seconds)
        #expect(made.leaf.serial.count == 16)
        #expect(made.algorithm == .p256)
    }

    @Test("A long name is no common name, but still the subject alternative name")
    func longName() throws {
        let name = String(repeating: "a", count: 60) + ".example.com"
        let made = try CertifiedKey.selfSigned(for: [.dns(name)], at: now, entropy: SystemEntropy())
        #expect(made.leaf.dnsNames == [name] && made.leaf.subject == "gatehouse")
        #expect(throws: CertificateError.self) { try CertifiedKey.selfSigned(for: [], at: now, entropy: SystemEntropy()) }
    }

    @Test("RFC 8737 §3: the challenge's certificate holds one name and, critical, the hash of the key authorization")
    func challenge() throws {
        let made = try CertifiedKey.tlsALPN01Challenge(
            for: .dns("example.com"), keyAuthorization: "token.thumb", at: now, entropy: SystemEntropy())
        #expect(made.leaf.names == [.dns("example.com")])
        let text = inspect(made)
        #expect(text.contains("1.3.6.1.5.5.7.1.31: critical"))
        let dump = OpenSSLCommand.run("asn1parse -in \(folder.file("c.pem"))").text
        let hash = Hex.encode(SHA256.hash(Array("token.thumb".utf8))).uppercased()
        #expect(dump.contains("[HEX DUMP]:0420\(hash)"), "\(dump)")
    }

    @Test("Serial numbers are positive and have 127 random bits")
    func serials() throws {
        var seen: Set<[UInt8]> = []
        for _ in 0..<20 {
            let serial = try CertifiedKey.selfSigned(for: [.dns("a.test")], at: now, entropy: SystemEntropy()).leaf.serial
            #expect(serial.count == 16 && serial[0] < 0x80)
            seen.insert(serial)
        }
        #expect(seen.count == 20)
    }
}
