import GateCore
import Testing

@testable import GateCrypto

@Suite("SHA-256 and HMAC: published vectors")
struct DigestTests {
    @Test(
        "SHA-256 (FIPS 180-4 examples)",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ])
    func sha256(text: String, hash: String) {
        #expect(Hex.encode(SHA256.hash(Array(text.utf8))) == hash)
        #expect(Array(text.utf8).withUnsafeBytes { Hex.encode(SHA256.hash($0)) } == hash)
    }

    struct Vector: Sendable {
        var key: [UInt8]
        var message: [UInt8]
        var code: String
    }

    @Test(
        "HMAC-SHA-256 (RFC 4231)",
        arguments: [
            Vector(
                key: [UInt8](repeating: 0x0B, count: 20), message: Array("Hi There".utf8),
                code: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            Vector(
                key: Array("Jefe".utf8), message: Array("what do ya want for nothing?".utf8),
                code: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            Vector(
                key: [UInt8](repeating: 0xAA, count: 131), message: Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
                code: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
            // Not of the RFC: an empty key and message, as RFC 2104 allows them.
            Vector(key: [], message: [], code: "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"),
        ])
    func hmac(_ vector: Vector) {
        let key = Secret(vector.key)
        let code = HMACSHA256.authenticate(vector.message, key: key)
        #expect(Hex.encode(code) == vector.code)
        #expect(HMACSHA256.verify(code, of: vector.message, key: key))
        #expect(!HMACSHA256.verify(Array(code.dropLast()), of: vector.message, key: key))
        #expect(!HMACSHA256.verify([], of: vector.message, key: key))
        #expect(!HMACSHA256.verify(code, of: vector.message + [0], key: key))
        var flipped = code
        flipped[31] ^= 1
        #expect(!HMACSHA256.verify(flipped, of: vector.message, key: key))
    }

    @Test("One keyed state serves many threads")
    func concurrentUse() async {
        let key = HMACKey(Secret("shared"))
        let expected = key.authenticate([1, 2, 3])
        let equal = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 { group.addTask { (0..<500).allSatisfy { _ in key.authenticate([1, 2, 3]) == expected } } }
            return await group.allSatisfy { $0 }
        }
        #expect(equal)
    }
}
