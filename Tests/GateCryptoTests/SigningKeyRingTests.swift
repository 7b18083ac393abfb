import GateCore
import Testing

@testable import GateCrypto

@Suite("Signing key ring")
struct SigningKeyRingTests {
    static let payload = Array(#"{"sub":"user"}"#.utf8)

    static func key(_ algorithm: SigningAlgorithm, _ id: String) throws -> SigningKey {
        try SigningKey.generate(algorithm, id: id, entropy: SystemEntropy())
    }

    /// A token with whatever header, signed as `key` signs.
    static func forge(_ header: String, payload: [UInt8] = payload, key: SigningKey) throws -> String {
        let input = "\(Base64URL.encode(header.utf8)).\(Base64URL.encode(payload))"
        return "\(input).\(Base64URL.encode(try key.sign(Array(input.utf8))))"
    }

    @Test("What the ring signs it verifies", arguments: SigningAlgorithm.allCases)
    func roundTrip(algorithm: SigningAlgorithm) throws {
        let ring = SigningKeyRing(current: try Self.key(algorithm, "k1"))
        let token = try ring.sign(payload: Self.payload, typ: "at+jwt")
        #expect(try ring.verify(token, typ: "at+jwt") == Self.payload)
        let header = try #require(JWS.parse(token)).header
        #expect(header == ["alg": .string(algorithm.rawValue), "kid": "k1", "typ": "at+jwt"])
        #expect(try ring.verify(ring.sign(payload: [], typ: "x"), typ: "x").isEmpty)
    }

    @Test("After a rotation the previous key still verifies, whatever its algorithm, and the new one signs")
    func rotation() throws {
        let old = SigningKeyRing(current: try Self.key(.hs256, "old"))
        let token = try old.sign(payload: Self.payload, typ: "at+jwt")
        let rotated = SigningKeyRing(current: try Self.key(.edDSA, "new"), previous: [old.current])
        #expect(try rotated.verify(token, typ: "at+jwt") == Self.payload)
        #expect(JWS.parse(try rotated.sign(payload: [], typ: "at+jwt"))?.header["kid"] == "new")
        #expect(throws: JWSError.unknownKey) { try SigningKeyRing(current: rotated.current).verify(token, typ: "at+jwt") }
    }

    @Test("Of two keys with one id the current one counts")
    func sameID() throws {
        let current = try Self.key(.hs256, "k")
        let shadowed = try Self.key(.hs256, "k")
        let ring = SigningKeyRing(current: current, previous: [shadowed])
        #expect(try ring.verify(JWS.sign(typ: "t", payload: [1], key: current), typ: "t") == [1])
        #expect(throws: JWSError.invalidSignature) { try ring.verify(JWS.sign(typ: "t", payload: [1], key: shadowed), typ: "t") }
    }

    @Test("Public keys are published, secrets are not")
    func jwks() throws {
        let keys = [try Self.key(.hs256, "h"), try Self.key(.edDSA, "e"), try Self.key(.es256, "p")]
        let jwks = SigningKeyRing(current: keys[0], previous: Array(keys[1...])).jwks
        #expect(jwks["keys"]?.array?.compactMap { $0["kid"]?.string } == ["e", "p"])
        for key in keys {
            #expect(!jwks.text.contains(Base64URL.encode(key.material.exposed)))
        }
        for published in try #require(jwks["keys"]?.array) { #expect(published["d"] == nil && published["k"] == nil) }
        #expect(SigningKeyRing(current: keys[0]).jwks.text == #"{"keys":[]}"#)
    }

    @Test(
        "CHECKLIST 8: a token of one type is not accepted as another",
        arguments: [
            ("at+jwt", "at+jwt", true), ("AT+JWT", "at+jwt", true), ("application/at+jwt", "at+jwt", true),
            ("APPLICATION/At+Jwt", "at+jwt", true), ("at+jwt", "application/at+jwt", true), ("jwt", "at+jwt", false),
            ("", "at+jwt", false), ("application/", "at+jwt", false), ("application/application/at+jwt", "at+jwt", false),
            ("text/at+jwt", "at+jwt", false), (" at+jwt", "at+jwt", false), ("at+jwt2", "at+jwt", false), ("at+jw", "at+jwt", false),
        ])
    func types(written: String, wanted: String, accepted: Bool) throws {
        let ring = SigningKeyRing(current: try Self.key(.hs256, "k"))
        let token = try ring.sign(payload: Self.payload, typ: written)
        if accepted {
            #expect(try ring.verify(token, typ: wanted) == Self.payload)
        } else {
            #expect(throws: JWSError.wrongType) { try ring.verify(token, typ: wanted) }
        }
    }

    @Test("A token too long to be verified is not signed")
    func tooLong() throws {
        let ring = SigningKeyRing(current: try Self.key(.hs256, "k"))
        let longest = try ring.sign(payload: [UInt8](repeating: 0, count: 6075), typ: "t")
        #expect(longest.utf8.count == JWS.maximumSize)
        #expect(try ring.verify(longest, typ: "t").count == 6075)
        #expect(throws: CryptoError.self) { try ring.sign(payload: [UInt8](repeating: 0, count: 6076), typ: "t") }
    }
}
