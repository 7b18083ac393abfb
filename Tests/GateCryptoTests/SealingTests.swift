import GateCore
import GateTesting
import Testing

@testable import GateCrypto

@Suite("Sealing: AES-256-GCM and HKDF")
struct SealingTests {
    struct Vector: Sendable {
        var key: String
        var nonce: String
        var plaintext: String
        var associated: String
        var sealed: String
    }

    private static let key = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
    private static let plaintext =
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"

    /// From "The Galois/Counter Mode of Operation", as submitted to NIST: test cases 13 to 16.
    @Test(
        "published vectors of AES-256-GCM seal and open",
        arguments: [
            Vector(
                key: String(repeating: "0", count: 64), nonce: String(repeating: "0", count: 24), plaintext: "", associated: "",
                sealed: "530f8afbc74536b9a963b4f1c4cb738b"),
            Vector(
                key: String(repeating: "0", count: 64), nonce: String(repeating: "0", count: 24),
                plaintext: String(repeating: "0", count: 32), associated: "",
                sealed: "cea7403d4d606b6e074ec5d3baf39d18" + "d0d1c8a799996bf0265b98b5d48ab919"),
            Vector(
                key: key, nonce: "cafebabefacedbaddecaf888", plaintext: plaintext + "1aafd255", associated: "",
                sealed: "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
                    + "c5f61e6393ba7a0abcc9f662898015ad" + "b094dac5d93471bdec1a502270e3cc6c"),
            Vector(
                key: key, nonce: "cafebabefacedbaddecaf888", plaintext: plaintext,
                associated: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
                sealed: "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
                    + "c5f61e6393ba7a0abcc9f662" + "76fc6ece0f4e1768cddf8853bb2d551b"),
        ])
    func vectors(_ vector: Vector) throws {
        let key = Secret(bytes(vector.key))
        let nonce = bytes(vector.nonce)
        let associated = bytes(vector.associated)
        let sealed = try AES256GCM.seal(bytes(vector.plaintext), associated: associated, key: key, nonce: nonce)
        #expect(Hex.encode(sealed) == vector.sealed)
        let opened = try AES256GCM.open(sealed, associated: associated, key: key, nonce: nonce)
        #expect(opened == Secret(bytes(vector.plaintext)))
        #expect(try AES256GCM.open(sealed, associated: associated + [0], key: key, nonce: nonce) == nil)
    }

    /// RFC 5869, appendices A.1 to A.3.
    @Test("published vectors of HKDF-SHA256")
    func derivation() {
        let short = HKDFSHA256.derive(
            Secret([UInt8](repeating: 0x0B, count: 22)), salt: Array(0...0x0C), info: Array(0xF0...0xF9), size: 42)
        #expect(
            Hex.encode(short.exposed) == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")
        let long = HKDFSHA256.derive(Secret(Array(0...0x4F)), salt: Array(0x60...0xAF), info: Array(0xB0...0xFF), size: 82)
        #expect(
            Hex.encode(long.exposed)
                == "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
                + "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87")
        let bare = HKDFSHA256.derive(Secret([UInt8](repeating: 0x0B, count: 22)), salt: [], info: "", size: 42)
        #expect(
            Hex.encode(bare.exposed) == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8")
    }

    @Test("a sealed text is opened with the key, for the purpose and under the label that it was sealed with, and by nothing else")
    func boundaries() throws {
        let entropy = SeededEntropy(seed: 7)
        let master = Secret(entropy.bytes(32))
        let content = Secret("the keys of this installation")
        let key = SealingKey(master, purpose: "secrets")
        let sealed = try key.seal(content, label: "secrets 4", entropy: entropy)
        #expect(try key.open(sealed, label: "secrets 4") == content)
        #expect(try SealingKey(master, purpose: "secrets").open(sealed, label: "secrets 4") == content)
        #expect(try key.open(sealed, label: "secrets 5") == nil)
        #expect(try SealingKey(master, purpose: "certificates").open(sealed, label: "secrets 4") == nil)
        #expect(try SealingKey(Secret(entropy.bytes(32)), purpose: "secrets").open(sealed, label: "secrets 4") == nil)
        for index in sealed.indices {
            var changed = sealed
            changed[index] ^= 1
            #expect(try key.open(changed, label: "secrets 4") == nil, "byte \(index) was changed")
        }
        for count in 0..<sealed.count { #expect(try key.open(Array(sealed.prefix(count)), label: "secrets 4") == nil) }
    }

    @Test("the same content is never sealed into the same text")
    func freshNonces() throws {
        let entropy = SeededEntropy(seed: 8)
        let key = SealingKey(Secret(entropy.bytes(32)), purpose: "secrets")
        let first = try key.seal(Secret("content"), label: "", entropy: entropy)
        let second = try key.seal(Secret("content"), label: "", entropy: entropy)
        #expect(first != second)
    }

    /// Sealed by another implementation (Python's cryptography), so that stored texts stay readable.
    @Test("the form of a sealed text stays as it is")
    func form() throws {
        let key = SealingKey(Secret(Array(0..<32)), purpose: "a purpose")
        #expect(try key.open(bytes(Self.stored), label: "a label") == Secret("kept"))
    }

    private static let stored = "016465666768696a6b6c6d6e6f4825b7913505e244238f500d9d50785e12bcc639"

    private func bytes(_ text: String) -> [UInt8] {
        let digits = Array(text.utf8)
        return stride(from: 0, to: digits.count, by: 2).map { Hex.value(of: digits[$0])! << 4 | Hex.value(of: digits[$0 + 1])! }
    }
}
