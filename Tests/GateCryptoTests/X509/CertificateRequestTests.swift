import GateCore
import GateTesting
import Testing

@testable import GateCrypto

@Suite("Certification requests")
struct CertificateRequestTests {
    @Test(
        "RFC 2986: openssl verifies the request and finds the names in a critical extension, the subject empty",
        arguments: [
            (.p256, ["example.com"], "DNS:example.com"),
            (.rsa(2048), ["example.com", "www.example.com"], "DNS:example.com, DNS:www.example.com"),
            (
                .p256, ["192.0.2.1", "2001:db8::1", "*.example.com"],
                "IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1, DNS:*.example.com"
            ),
            (.p256, (0..<100).map { "site-\($0).example.com" }, "DNS:site-99.example.com"),
        ] as [(CertificateKey.Algorithm, [String], String)])
    func request(algorithm: CertificateKey.Algorithm, names: [String], expected: String) throws {
        let key = try CertificateKey.generate(algorithm, entropy: SystemEntropy())
        let der = try CertificateRequest.make(for: names.map { try CertificateName($0) }, key: key)
        let folder = TemporaryFolder()
        folder.write("r.der", bytes: der)
        folder.write("k.pem", bytes: key.pem.exposed)
        let shown = OpenSSLCommand.run("req -inform DER -in \(folder.file("r.der")) -noout -text -verify")
        #expect(shown.succeeded && shown.text.contains("verify OK"), "\(shown.text)")
        #expect(shown.text.contains("X509v3 Subject Alternative Name: critical") && shown.text.contains(expected), "\(shown.text)")
        #expect(shown.text.contains("Subject: \n") && shown.text.contains("Version: 1 (0x0)"))
        let keys = ["req -inform DER -in \(folder.file("r.der")) -noout -pubkey", "pkey -in \(folder.file("k.pem")) -pubout"]
        #expect(OpenSSLCommand.run(keys[0]).text == OpenSSLCommand.run(keys[1]).text)
    }

    @Test("There is no request without a name")
    func empty() throws {
        let key = try CertificateKey.generate(.p256, entropy: SystemEntropy())
        #expect(throws: CertificateError.self) { try CertificateRequest.make(for: [], key: key) }
    }

    @Test(
        "Lengths of more than a byte are written as X.690 §8.1.3 has them",
        arguments: [(0, [0x04, 0x00]), (127, [0x04, 0x7F]), (128, [0x04, 0x81, 0x80]), (65_536, [0x04, 0x83, 1, 0, 0])] as [(Int, [UInt8])])
    func lengths(count: Int, header: [UInt8]) {
        #expect(Array(DER.octetString([UInt8](repeating: 0xAA, count: count)).prefix(header.count)) == header)
    }
}
