import GateCore
import GateTesting
import Testing

@testable import GateCrypto

@Suite("Certificates with their keys")
struct CertifiedKeyTests {
    static let authority: CommandLineAuthority = {
        let authority = CommandLineAuthority()
        let names = "subjectAltName=DNS:example.com"
        authority.make("leaf", subject: "/CN=example.com", extensions: names, signedBy: "middle")
        authority.make("other", subject: "/CN=other", extensions: "subjectAltName=DNS:other.test", signedBy: "middle")
        authority.make("rsa", subject: "/CN=rsa", extensions: names, signedBy: "middle", key: "-newkey rsa:2048")
        authority.make("weak", subject: "/CN=weak", extensions: names, signedBy: "middle", key: "-newkey rsa:1024")
        authority.make("ed", subject: "/CN=ed", extensions: names, signedBy: "middle", key: "-newkey ed25519")
        authority.make(
            "p384", subject: "/CN=p384", extensions: names, signedBy: "middle", key: "-newkey ec -pkeyopt ec_paramgen_curve:P-384")
        authority.make(
            "k1", subject: "/CN=k1", extensions: names, signedBy: "middle", key: "-newkey ec -pkeyopt ec_paramgen_curve:secp256k1")
        func convert(_ arguments: String) { precondition(OpenSSLCommand.run(arguments).succeeded, arguments) }
        convert("ec -in \(authority.path("leaf", "key")) -out \(authority.path("leaf-sec1", "key"))")
        convert("rsa -traditional -in \(authority.path("rsa", "key")) -out \(authority.path("rsa-pkcs1", "key"))")
        convert("pkcs8 -topk8 -passout pass:secret -in \(authority.path("leaf", "key")) -out \(authority.path("locked", "key"))")
        convert(
            "rsa -traditional -aes128 -passout pass:secret -in \(authority.path("rsa", "key")) -out \(authority.path("locked-pkcs1", "key"))"
        )
        convert("ecparam -name prime256v1 -out \(authority.path("parameters", "pem"))")
        return authority
    }()

    @Test(
        "Sound pairs are taken, in every usual form of the key",
        arguments: [
            (["leaf.pem"], ["leaf.key"], "ECDSA P-256"), (["leaf.pem", "middle.pem"], ["leaf.key"], "ECDSA P-256"),
            (["leaf.pem", "middle.pem", "root.pem"], ["leaf-sec1.key"], "ECDSA P-256"),
            (["leaf.pem"], ["parameters.pem", "leaf-sec1.key"], "ECDSA P-256"),
            (["rsa.pem", "middle.pem"], ["rsa.key"], "RSA 2048"), (["rsa.pem"], ["rsa-pkcs1.key"], "RSA 2048"),
            (["ed.pem"], ["ed.key"], "Ed25519"), (["p384.pem"], ["p384.key"], "ECDSA P-384"),
            (["leaf.key", "leaf.pem", "middle.pem"], ["leaf.pem", "leaf.key"], "ECDSA P-256"),
        ] as [([String], [String], String)])
    func sound(chain: [String], key: [String], algorithm: String) throws {
        let pair = try CertifiedKey(chain: read(chain), key: Secret(read(key)))
        #expect(pair.algorithm.description == algorithm)
        #expect(pair.leaf.dnsNames == ["example.com"])
        #expect(pair.certificates.count == chain.count { $0.hasSuffix(".pem") })
    }

    private func read(_ names: [String]) -> [UInt8] { names.flatMap { Self.authority.read($0) } }

    @Test(
        "What does not fit is refused with the reason",
        arguments: [
            ([], ["leaf.key"], "there is no certificate"), (["leaf.key"], ["leaf.key"], "there is no certificate"),
            (["leaf.pem"], [], "there is no private key"), (["leaf.pem"], ["leaf.pem"], "there is no private key"),
            (["leaf.pem"], ["other.key"], "the certificate for example.com was made with another key"),
            (["leaf.pem", "middle.pem"], ["rsa.key"], "another key"),
            (["middle.pem", "leaf.pem"], ["leaf.key"], "the key belongs to certificate 2"),
            (["leaf.pem", "root.pem"], ["leaf.key"], "example.com was not issued by Test Root, which follows"),
            (["leaf.pem", "middle.pem", "other.pem"], ["leaf.key"], "at certificate 2"),
            (["weak.pem"], ["weak.key"], "RSA with 1024 bits"), (["k1.pem"], ["k1.key"], "the curve secp256k1"),
            (["leaf.pem"], ["locked.key"], "locked with a passphrase"), (["rsa.pem"], ["locked-pkcs1.key"], "locked with a passphrase"),
        ] as [([String], [String], String)])
    func refused(chain: [String], key: [String], reason: String) throws {
        let error = #expect(throws: CertificateError.self) { try CertifiedKey(chain: read(chain), key: Secret(read(key))) }
        #expect(try #require(error).description.contains(reason), "\(String(describing: error))")
        #expect(CryptoError.drained("look").reasons.isEmpty)
    }

    @Test("Broken keys are refused")
    func brokenKeys() throws {
        let good = Self.authority.read("leaf.key")
        for length in stride(from: 0, to: good.count - 2, by: 9) {
            #expect(throws: CertificateError.self) { try CertificateKey(pem: Secret(Array(good[..<length]))) }
        }
        #expect(throws: CertificateError.self) { try CertificateKey(pem: Secret([UInt8](repeating: 0x2D, count: PEM.maximumSize + 1))) }
        #expect(CryptoError.drained("look").reasons.isEmpty)
    }

    @Test("An expired certificate is taken: whoever serves it decides")
    func expired() throws {
        let made = try CertifiedKey.selfSigned(
            for: [.dns("a.test")], at: Timestamp(seconds: 1_000_000_000), lifetime: .seconds(60), entropy: SystemEntropy())
        #expect(!made.leaf.isValid(at: SystemTime().now()))
    }

    @Test(
        "Generated keys are what openssl says they are",
        arguments: [
            (.p256, "Private-Key: (256 bit)"), (.rsa(2048), "Private-Key: (2048 bit, 2 primes)"),
            (.rsa(3072), "Private-Key: (3072 bit, 2 primes)"),
        ] as [(CertificateKey.Algorithm, String)])
    func generated(algorithm: CertificateKey.Algorithm, expected: String) throws {
        let key = try CertificateKey.generate(algorithm, entropy: SystemEntropy())
        #expect(String(decoding: key.pem.exposed, as: UTF8.self).hasPrefix("-----BEGIN PRIVATE KEY-----\n"))
        let folder = TemporaryFolder()
        folder.write("k.pem", bytes: key.pem.exposed)
        let shown = OpenSSLCommand.run("pkey -in \(folder.file("k.pem")) -noout -text -check")
        #expect(shown.succeeded && shown.text.contains(expected) && shown.text.contains("Key is valid"), "\(shown.text)")
        #expect(try CertificateKey(pem: key.pem).algorithm == algorithm)
        #expect(!"\(key)".contains("BEGIN"))
    }

    @Test(
        "Keys that are not to be are not generated",
        arguments: [.rsa(1024), .rsa(2049), .rsa(65_536), .ed25519, .p384] as [CertificateKey.Algorithm])
    func notGenerated(algorithm: CertificateKey.Algorithm) {
        #expect(throws: CertificateError.self) { try CertificateKey.generate(algorithm, entropy: SystemEntropy()) }
    }
}
