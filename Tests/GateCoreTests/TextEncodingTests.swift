import GateCore
import GateTesting
import Testing

@Suite("Base64URL and hexadecimal")
struct TextEncodingTests {
    @Test(
        "The vectors of RFC 4648 §10, without padding",
        arguments: [
            ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"), ("foobar", "Zm9vYmFy"),
        ])
    func vectors(plain: String, encoded: String) {
        #expect(Base64URL.encode(plain.utf8) == encoded)
        #expect(Base64URL.encoded(plain.utf8) == Array(encoded.utf8))
        #expect(Base64URL.decode(encoded.utf8) == Array(plain.utf8))
    }

    @Test func theAlphabetIsTheURLSafeOne() {
        #expect(Base64URL.encode([0xFB, 0xFF, 0xFE]) == "-__-")
        #expect(Base64URL.decode("-__-".utf8) == [0xFB, 0xFF, 0xFE])
    }

    @Test(
        "One value has one spelling",
        arguments: [
            "Zg==", "Zh", "Zm9", "Z", "Zm9vY", "+__+", "-/-_", "Zm 9v", "Zm9v\n", "Zm\u{e9}v", "Z\0==",
        ])
    func refuses(text: String) {
        #expect(Base64URL.decode(text.utf8) == nil)
    }

    @Test func roundTrip() {
        let entropy = SeededEntropy(seed: 11)
        for count in 0..<200 {
            let bytes = entropy.bytes(count)
            let text = Base64URL.encode(bytes)
            #expect(Base64URL.decode(text.utf8) == bytes)
            #expect(text.utf8.count == (count * 4 + 2) / 3)
        }
    }

    @Test func everySpellingThatDecodesIsTheOneThatEncodes() {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        for first in alphabet {
            for second in alphabet {
                guard let bytes = Base64URL.decode([first, second]) else { continue }
                #expect(Base64URL.encoded(bytes) == [first, second])
            }
        }
    }

    @Test func hexadecimal() {
        #expect(Hex.encode([]) == "")
        #expect(Hex.encode([0x00, 0x0F, 0xA0, 0xFF]) == "000fa0ff")
        for value in 0..<16 as Range<UInt8> { #expect(Hex.value(of: Hex.digit(value)) == value) }
        for value in [0, 1, 0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210, 0x9A9A_0F0F_A9A9_F0F0, .max] as [UInt64] {
            let digits = withUnsafeBytes(of: Hex.digits(of: value)) { Array($0) }
            #expect(digits == Array(Hex.encode(withUnsafeBytes(of: value.bigEndian) { Array($0) }).utf8))
        }
        for value in UInt8.min...UInt8.max {
            let isDigit = "0123456789abcdefABCDEF".utf8.contains(value)
            #expect((Hex.value(of: value) != nil) == isDigit, "byte \(value)")
        }
        #expect("ABCDEF".utf8.map { Hex.value(of: $0) } == [10, 11, 12, 13, 14, 15])
    }

    @Test func seededEntropyRepeatsAndTheSystemsDoesNot() {
        #expect(SeededEntropy(seed: 4).bytes(1000) == SeededEntropy(seed: 4).bytes(1000))
        #expect(SeededEntropy(seed: 4).bytes(16) != SeededEntropy(seed: 5).bytes(16))
        // More than getentropy(3) gives at once.
        let bytes = SystemEntropy().bytes(1000)
        #expect(bytes != SystemEntropy().bytes(1000))
        #expect(Set(bytes.suffix(200)).count > 50)
    }
}
