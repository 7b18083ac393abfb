import GateCore
import GateTesting
import Testing

@testable import GateCrypto

@Suite("Signing keys")
struct SigningKeyTests {
    @Test("Generated keys sign and verify, and are the same when made of their material again", arguments: SigningAlgorithm.allCases)
    func generated(algorithm: SigningAlgorithm) throws {
        let key = try SigningKey.generate(algorithm, id: "a", entropy: SystemEntropy())
        let again = try SigningKey(id: "a", algorithm: algorithm, material: key.material)
        let other = try SigningKey.generate(algorithm, id: "a", entropy: SystemEntropy())
        let signature = try key.sign([1, 2, 3])
        #expect(signature.count == algorithm.signatureSize)
        #expect(again.verify(signature, of: [1, 2, 3]))
        #expect(!other.verify(signature, of: [1, 2, 3]))
        #expect(!again.verify(signature, of: [1, 2, 4]))
        #expect(key.material.count == 32)
        #expect(again.publicJWK == key.publicJWK)
        #expect((key.publicJWK == nil) == (algorithm == .hs256))
    }

    @Test(
        "Material that is no key is refused",
        arguments: [
            ("an HS256 secret of 31 bytes", .hs256, [UInt8](repeating: 1, count: 31)), ("an empty HS256 secret", .hs256, []),
            ("an Ed25519 seed of 31 bytes", .edDSA, [UInt8](repeating: 1, count: 31)),
            ("an Ed25519 key of 64 bytes", .edDSA, [UInt8](repeating: 1, count: 64)),
            ("a P-256 scalar of 33 bytes", .es256, [UInt8](repeating: 1, count: 33)),
            ("the P-256 scalar zero", .es256, [UInt8](repeating: 0, count: 32)), ("the order of P-256", .es256, P256.order),
            ("a number beyond the order of P-256", .es256, [UInt8](repeating: 0xFF, count: 32)),
        ] as [(String, SigningAlgorithm, [UInt8])])
    func refused(what: String, algorithm: SigningAlgorithm, material: [UInt8]) throws {
        let error = #expect(throws: CryptoError.self) { try SigningKey(id: "a", algorithm: algorithm, material: Secret(material)) }
        #expect(try !#require(error).description.contains(Hex.encode(material).prefix(8)) || material.isEmpty)
        #expect(CryptoError.drained("look").reasons.isEmpty, "The error queue is left empty")
    }

    @Test("The first and the last P-256 scalars are keys")
    func edgesOfP256() throws {
        var last = P256.order
        last[31] -= 1
        for scalar in [[UInt8](repeating: 0, count: 31) + [1], last] {
            #expect(P256.isScalar(scalar))
            let key = try SigningKey(id: "a", algorithm: .es256, material: Secret(scalar))
            #expect(key.verify(try key.sign([1]), of: [1]))
        }
        #expect(!P256.isScalar(P256.order) && !P256.isScalar([UInt8](repeating: 0, count: 32)))
    }

    @Test("Generating draws again until the bytes are a P-256 scalar")
    func drawsAgain() throws {
        /// Gives bytes that are no scalar, then some that are.
        final class Stubborn: Entropy {
            let draws = Counter()
            func fill(_ buffer: UnsafeMutableRawBufferPointer) {
                let byte: UInt8 = draws.next() == 1 ? 0xFF : 0x01
                for index in buffer.indices { buffer[index] = byte }
            }
        }
        let key = try SigningKey.generate(.es256, id: "a", entropy: Stubborn())
        #expect(key.material == Secret([UInt8](repeating: 1, count: 32)))
    }

    @Test("A key needs an id, and never shows its material")
    func idAndRedaction() throws {
        #expect(throws: CryptoError.self) {
            try SigningKey(id: "", algorithm: .hs256, material: Secret([UInt8](repeating: 0x41, count: 32)))
        }
        let key = try SigningKey(id: "a", algorithm: .hs256, material: Secret([UInt8](repeating: 0x41, count: 32)))
        var dumped = ""
        dump(key, to: &dumped)
        for shown in ["\(key)", String(reflecting: key), dumped] {
            #expect(!shown.contains("AAAA") && !shown.contains("65, 65") && shown.contains("redacted"))
        }
    }

    @Test("Signatures of a wrong length, of zeros, or in DER are refused, and leave no error behind", arguments: SigningAlgorithm.allCases)
    func wrongSignatures(algorithm: SigningAlgorithm) throws {
        let key = try SigningKey.generate(algorithm, id: "a", entropy: SystemEntropy())
        let good = try key.sign([7])
        let half = [UInt8](repeating: 0, count: 32)
        var wrong: [[UInt8]] = [
            [], [0], Array(good.dropLast()), Array(good.dropFirst()), good + [0], [0] + good, good + good,
            [UInt8](repeating: 0, count: good.count), [UInt8](repeating: 0xFF, count: good.count), Array(good.reversed()),
        ]
        if algorithm == .es256 {
            wrong += [half + good[32...], good[..<32] + half, P256.order + good[32...], good[..<32] + P256.order]
            wrong.append(try #require(ECDSASignature.der(fromRaw: good)))
        }
        for signature in wrong { #expect(!key.verify(signature, of: [7]), "\(signature.count) bytes") }
        #expect(CryptoError.drained("look").reasons.isEmpty)
        #expect(key.verify(good, of: [7]))
    }

    @Test("ECDSA's two spellings turn into each other, leading zeros and high bits included")
    func spellings() throws {
        var generator = SplitMix(seed: 7)
        for round in 0..<300 {
            var raw = generator.bytes(64)
            // Every third begins with zeros, in one number or the other: DER drops them.
            if round % 3 == 1 { for index in 0..<Int.random(in: 1...31, using: &generator) { raw[index] = 0 } }
            if round % 3 == 2 { for index in 32..<Int.random(in: 33...63, using: &generator) { raw[index] = 0 } }
            let der = try #require(ECDSASignature.der(fromRaw: raw))
            #expect(try ECDSASignature.raw(fromDER: der) == raw)
        }
        #expect(throws: CryptoError.self) { try ECDSASignature.raw(fromDER: [0x30, 0x01]) }
        #expect(ECDSASignature.der(fromRaw: []) == nil)
    }

    @Test("One key serves many threads", arguments: SigningAlgorithm.allCases)
    func concurrentUse(algorithm: SigningAlgorithm) async throws {
        let key = try SigningKey.generate(algorithm, id: "a", entropy: SystemEntropy())
        let sound = try await withThrowingTaskGroup(of: Bool.self) { group in
            for task in UInt8(0)..<8 {
                group.addTask {
                    for round in UInt8(0)..<20 {
                        let signature = try key.sign([task, round])
                        guard key.verify(signature, of: [task, round]), !key.verify(signature, of: [task, round, 0]) else { return false }
                    }
                    return true
                }
            }
            return try await group.reduce(true) { $0 && $1 }
        }
        #expect(sound)
    }
}
