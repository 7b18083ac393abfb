import GateCore
import GateTesting
import Testing

@testable import GateCrypto

/// Bounded and seeded: a failure is repeated by the same seed.
@Suite("JWS: properties", .timeLimit(.minutes(2)))
struct JWSPropertyTests {
    static let ring = JWSForgeryTests.ring

    @Test("One bit changed anywhere, and the token is refused", arguments: SigningAlgorithm.allCases)
    func bitFlips(algorithm: SigningAlgorithm) throws {
        let key = try SigningKeyRingTests.key(algorithm, "k")
        let ring = SigningKeyRing(current: key)
        let token = Array(try ring.sign(payload: Array(#"{"sub":"0192","exp":1}"#.utf8), typ: "at+jwt").utf8)
        for place in token.indices {
            for bit in 0..<8 {
                var changed = token
                changed[place] ^= 1 << UInt8(bit)
                // Not every change leaves text; those that do not are put to the parser as they are.
                guard let text = String(validating: changed, as: UTF8.self) else {
                    #expect(JWS.parse(changed) == nil, "bit \(bit) of byte \(place)")
                    continue
                }
                #expect(throws: JWSError.self, "bit \(bit) of byte \(place)") { try ring.verify(text, typ: "at+jwt") }
            }
        }
        #expect(throws: Never.self) { try ring.verify(String(decoding: token, as: UTF8.self), typ: "at+jwt") }
    }

    @Test("Cut off anywhere, the token is refused", arguments: SigningAlgorithm.allCases)
    func prefixes(algorithm: SigningAlgorithm) throws {
        let ring = SigningKeyRing(current: try SigningKeyRingTests.key(algorithm, "k"))
        let token = try ring.sign(payload: [1, 2, 3], typ: "t")
        for count in 0..<token.utf8.count {
            #expect(throws: JWSError.self) { try ring.verify(String(token.prefix(count)), typ: "t") }
        }
    }

    /// What the parser takes is spelled in one way only: writing it again gives the same bytes.
    func holds(_ input: [UInt8]) -> Bool {
        guard let token = JWS.parse(input) else { return true }
        return token.header.members != nil && input.count <= JWS.maximumSize
            && token.signingInput + [UInt8(ascii: ".")] + Base64URL.encoded(token.signature) == input
            && Base64URL.encoded(token.payload) == Array(token.signingInput.drop { $0 != UInt8(ascii: ".") }.dropFirst())
    }

    @Test("Random bytes never trouble the parser, and what it takes has one spelling", arguments: [1, 2, 3] as [UInt64])
    func randomBytes(seed: UInt64) {
        var generator = SplitMix(seed: seed)
        let alphabet = Array("ABCXYZabcxyz0189-_.....=+/ \n".utf8)
        for round in 0..<4000 {
            let count = Int.random(in: 0...(round % 50 == 0 ? 9000 : 120), using: &generator)
            #expect(holds(generator.bytes(count)))
            #expect(holds((0..<count).map { _ in alphabet.randomElement(using: &generator)! }))
        }
    }

    @Test("Tokens with random damage are either refused or spelled as before", arguments: [4, 5, 6] as [UInt64])
    func damaged(seed: UInt64) throws {
        var generator = SplitMix(seed: seed)
        let token = Array(try Self.ring.sign(payload: SigningKeyRingTests.payload, typ: "t").utf8)
        var taken = 0
        for _ in 0..<3000 {
            var changed = token
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let place = Int.random(in: 0..<changed.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: changed.remove(at: place)
                case 1: changed.insert(.random(in: 0x2D...0x7A, using: &generator), at: place)
                case 2: changed[place] = .random(in: .min ... .max, using: &generator)
                default: changed.swapAt(place, Int.random(in: 0..<changed.count, using: &generator))
                }
            }
            guard changed != token else { continue }
            if JWS.parse(changed) != nil { taken += 1 }
            #expect(holds(changed))
            if let text = String(validating: changed, as: UTF8.self) {
                #expect(throws: JWSError.self) { try Self.ring.verify(text, typ: "t") }
            }
        }
        #expect(taken > 0, "Damage to payload and signature must get past the parser, or nothing was tried")
    }

    @Test("Random headers around a known key never get a token accepted that has not its algorithm")
    func randomHeaders() throws {
        var generator = SplitMix(seed: 9)
        let values: [(name: String, values: [String])] = [
            ("alg", [#""HS256""#, #""HS256""#, #""EdDSA""#, #""none""#, "null", "[]"]),
            ("kid", [#""h""#, #""h""#, #""e""#, #""""#, "1", "{}"]),
            ("typ", [#""t""#, #""t""#, #""u""#, "null"]), ("crit", ["[]", "null"]), ("jwk", ["{}", #""h""#]), ("x", ["1", "true"]),
        ]
        var accepted = 0
        for _ in 0..<5000 {
            let members = values.shuffled(using: &generator).prefix(Int.random(in: 2...5, using: &generator)).map {
                ($0.name, $0.values.randomElement(using: &generator)!)
            }
            let token = try SigningKeyRingTests.forge(
                "{\(members.map { "\"\($0)\":\($1)" }.joined(separator: ","))}", key: JWSForgeryTests.hmac)
            guard (try? Self.ring.verify(token, typ: "t")) != nil else { continue }
            accepted += 1
            let header = Dictionary(uniqueKeysWithValues: members)
            #expect(header["alg"] == #""HS256""# && header["kid"] == #""h""# && header["typ"] == #""t""#)
            #expect(header["crit"] == nil && header["jwk"] == nil)
        }
        #expect(accepted > 0, "Some must be right by chance, or nothing was tried")
    }
}
