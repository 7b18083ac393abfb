import GateCore
import Testing

@testable import GateCrypto

/// Every one of these tokens is what an attacker could write (RFC 8725). Where a header is at fault, the signature is right:
/// it is the header that must be refused.
@Suite("JWS: forgeries")
struct JWSForgeryTests {
    static let hmac = try! SigningKeyRingTests.key(.hs256, "h")
    static let edwards = try! SigningKeyRingTests.key(.edDSA, "e")
    static let p256 = try! SigningKeyRingTests.key(.es256, "p")
    static let ring = SigningKeyRing(current: hmac, previous: [edwards, p256])

    @Test(
        "CHECKLIST 7: a header that chooses key or rules is refused",
        arguments: [
            (#"{"alg":"none","kid":"h","typ":"t"}"#, .wrongAlgorithm), (#"{"alg":"None","kid":"h","typ":"t"}"#, .wrongAlgorithm),
            (#"{"alg":"","kid":"h","typ":"t"}"#, .wrongAlgorithm), (#"{"kid":"h","typ":"t"}"#, .wrongAlgorithm),
            (#"{"alg":null,"kid":"h","typ":"t"}"#, .wrongAlgorithm), (#"{"alg":["HS256"],"kid":"h","typ":"t"}"#, .wrongAlgorithm),
            (#"{"alg":"hs256","kid":"h","typ":"t"}"#, .wrongAlgorithm), (#"{"alg":"HS256 ","kid":"h","typ":"t"}"#, .wrongAlgorithm),
            (#"{"alg":"HS512","kid":"h","typ":"t"}"#, .wrongAlgorithm), (#"{"alg":"RS256","kid":"h","typ":"t"}"#, .wrongAlgorithm),
            (#"{"alg":"HS256","kid":"e","typ":"t"}"#, .wrongAlgorithm), (#"{"alg":"HS256","kid":"p","typ":"t"}"#, .wrongAlgorithm),
            (#"{"alg":"EdDSA","kid":"h","typ":"t"}"#, .wrongAlgorithm), (#"{"alg":"ES256","kid":"e","typ":"t"}"#, .wrongAlgorithm),
            (#"{"alg":"HS256","typ":"t"}"#, .unknownKey), (#"{"alg":"HS256","kid":"","typ":"t"}"#, .unknownKey),
            (#"{"alg":"HS256","kid":"H","typ":"t"}"#, .unknownKey), (#"{"alg":"HS256","kid":1,"typ":"t"}"#, .unknownKey),
            (#"{"alg":"HS256","kid":["h"],"typ":"t"}"#, .unknownKey), (#"{"alg":"HS256","kid":"h\u0000","typ":"t"}"#, .unknownKey),
            (#"{"alg":"HS256","kid":"../../dev/null","typ":"t"}"#, .unknownKey), (#"{"alg":"none","typ":"t"}"#, .unknownKey),
            (#"{"alg":"HS256","kid":"h"}"#, .wrongType), (#"{"alg":"HS256","kid":"h","typ":1}"#, .wrongType),
            (#"{"alg":"HS256","kid":"h","typ":["t"]}"#, .wrongType), (#"{"alg":"HS256","kid":"h","typ":"other"}"#, .wrongType),
            (#"{"alg":"HS256","kid":"h","typ":"t","jwk":{"kty":"oct","k":"AAAA"}}"#, .unsupportedHeader),
            (#"{"alg":"HS256","kid":"h","typ":"t","jku":"https://attacker.example/jwks.json"}"#, .unsupportedHeader),
            (#"{"alg":"HS256","kid":"h","typ":"t","x5u":"https://attacker.example/x.pem"}"#, .unsupportedHeader),
            (#"{"alg":"HS256","kid":"h","typ":"t","x5c":["MIIB"]}"#, .unsupportedHeader),
            (#"{"alg":"HS256","kid":"h","typ":"t","crit":["exp"],"exp":1}"#, .unsupportedHeader),
            (#"{"alg":"HS256","kid":"h","typ":"t","crit":[]}"#, .unsupportedHeader),
            (#"{"alg":"HS256","kid":"h","typ":"t","b64":false}"#, .unsupportedHeader),
            (#"{"alg":"HS256","kid":"h","typ":"t","jwk":null}"#, .unsupportedHeader),
            (#"{"alg":"HS256","alg":"none","kid":"h","typ":"t"}"#, .malformed),
            (#"{"alg":"HS256","kid":"e","kid":"h","typ":"t"}"#, .malformed), (#"["HS256"]"#, .malformed), ("\"HS256\"", .malformed),
            ("", .malformed), ("{", .malformed), (#"{"alg":"HS256","kid":"h","typ":"t"} x"#, .malformed),
        ] as [(String, JWSError)])
    func header(_ header: String, error: JWSError) throws {
        let token = try SigningKeyRingTests.forge(header, key: Self.hmac)
        #expect(throws: error) { try Self.ring.verify(token, typ: "t") }
    }

    @Test("The headers above are refused for what is wrong with them: without it, the same token is accepted")
    func control() throws {
        for header in [#"{"alg":"HS256","kid":"h","typ":"t"}"#, #" {"typ":"t","cty":"x","x5t":"y", "kid":"h", "alg":"HS256"} "#] {
            let token = try SigningKeyRingTests.forge(header, key: Self.hmac)
            #expect(try Self.ring.verify(token, typ: "t") == SigningKeyRingTests.payload)
        }
    }

    @Test("CHECKLIST 7: a public key is no HS256 secret, in any of its forms", arguments: [edwards, p256])
    func publicKeyAsSecret(key: SigningKey) throws {
        let jwk = try #require(key.publicJWK)
        let text = try #require(jwk["x"]?.string)
        let x = try #require(Base64URL.decode(text.utf8))
        let y = Base64URL.decode((jwk["y"]?.string ?? "").utf8) ?? []
        for secret in [x, [4] + x + y, jwk.bytes, Array(text.utf8)] {
            guard secret.count >= 32 else { continue }
            let forged = try SigningKey(id: key.id, algorithm: .hs256, material: Secret(secret))
            let token = try JWS.sign(typ: "t", payload: SigningKeyRingTests.payload, key: forged)
            #expect(throws: JWSError.wrongAlgorithm) { try Self.ring.verify(token, typ: "t") }
            // Under the algorithm of the key its MAC is no signature.
            let header = #"{"alg":"\#(key.algorithm.rawValue)","kid":"\#(key.id)","typ":"t"}"#
            let renamed = try SigningKeyRingTests.forge(header, key: forged)
            #expect(throws: JWSError.invalidSignature) { try Self.ring.verify(renamed, typ: "t") }
        }
    }

    @Test("CHECKLIST 7: a key of the attacker's own, under our kid, is refused", arguments: [hmac, edwards, p256])
    func foreignKey(key: SigningKey) throws {
        let foreign = try SigningKeyRingTests.key(key.algorithm, key.id)
        let token = try JWS.sign(typ: "t", payload: SigningKeyRingTests.payload, key: foreign)
        #expect(throws: JWSError.invalidSignature) { try Self.ring.verify(token, typ: "t") }
        let embedded = try JWS.sign(
            header: [JSON.Member("jwk", foreign.publicJWK ?? ["kty": "oct"])], typ: "t", payload: SigningKeyRingTests.payload, key: foreign)
        #expect(throws: JWSError.unsupportedHeader) { try Self.ring.verify(embedded, typ: "t") }
    }

    @Test("What is not strictly a compact JWS is malformed")
    func shapes() throws {
        let good = try Self.ring.sign(payload: SigningKeyRingTests.payload, typ: "t")
        let parts = good.split(separator: ".").map(String.init)
        let shapes = [
            "", ".", "..", "...", parts[0], "\(parts[0]).\(parts[1])", "\(good).", ".\(good)", "\(good).\(parts[2])", "\(good) ",
            " \(good)",
            "\(good)\n", "\(good)=", "Bearer \(good)", "\(parts[0])=.\(parts[1]).\(parts[2])", "\(parts[0]) .\(parts[1]).\(parts[2])",
            ".\(parts[1]).\(parts[2])", "\(good)\0", "\(parts[0]).\(parts[1]).\(parts[2])!", "\(parts[0])..\(parts[1]).\(parts[2])",
            "\(parts[0]).\(parts[1])A====.\(parts[2])", #"{"payload":"","signature":""}"#, String(repeating: "A", count: 8193),
            good.replacingLast(with: "+"), good.replacingLast(with: "/"), good.replacingLast(with: "é"),
            String(repeating: "A", count: 100_000), "\(parts[0]).\(String(repeating: "A", count: 8192)).\(parts[2])",
        ]
        for shape in shapes { #expect(throws: JWSError.malformed, "\(shape.prefix(60))") { try Self.ring.verify(shape, typ: "t") } }
    }

    @Test("Without signature, or with that of another token, nothing is accepted", arguments: [hmac, edwards, p256])
    func signatures(key: SigningKey) throws {
        let one = try JWS.sign(typ: "t", payload: [1], key: key).split(separator: ".", omittingEmptySubsequences: false)
        let two = try JWS.sign(typ: "t", payload: [2], key: key).split(separator: ".", omittingEmptySubsequences: false)
        for token in ["\(one[0]).\(one[1]).", "\(one[0]).\(one[1]).\(two[2])", "\(one[0]).\(two[1]).\(one[2])", "\(one[0])..\(one[2])"] {
            #expect(throws: JWSError.invalidSignature) { try Self.ring.verify(token, typ: "t") }
        }
    }

    @Test("An ECDSA signature with the larger of the two values of s is as good (RFC 7518 §3.4 asks for neither)")
    func highS() throws {
        let token = try #require(JWS.parse(try JWS.sign(typ: "t", payload: [1], key: Self.p256)))
        // n - s, by hand.
        var other = Array(token.signature[..<32])
        var difference: [UInt8] = []
        var borrow = 0
        for index in (0..<32).reversed() {
            var digit = Int(P256.order[index]) - Int(token.signature[32 + index]) - borrow
            borrow = digit < 0 ? 1 : 0
            digit += borrow * 256
            difference.insert(UInt8(digit), at: 0)
        }
        other += difference
        #expect(other != token.signature)
        #expect(Self.p256.verify(other, of: token.signingInput))
    }
}

extension String {
    fileprivate func replacingLast(with character: String) -> String { String(dropLast()) + character }
}
