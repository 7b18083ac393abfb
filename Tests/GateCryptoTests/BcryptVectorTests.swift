import GateCore
import Testing

@testable import GateCrypto

@Suite("bcrypt: published vectors", .timeLimit(.minutes(1)))
struct BcryptVectorTests {
    let hasher = PasswordHasher(cost: 4, threads: 2, queueLimit: 100, entropy: SystemEntropy())

    /// Of crypt_blowfish's own test program; the three with a letter other than a hold the same password as their neighbours.
    static let vectors: [([UInt8], String)] = [
        (Array("U*U".utf8), "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
        (Array("U*U*".utf8), "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"),
        (Array("U*U*U".utf8), "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"),
        (Array("U*U*U".utf8), "$2b$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"),
        ([], "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy"),
        (
            Array("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789".utf8),
            "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui"
        ),
        ([0xA3], "$2y$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq"),
        ([0xA3], "$2a$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq"),
    ]

    @Test("Each verifies with its password and with no other", arguments: vectors)
    func vector(password: [UInt8], hash: String) async throws {
        let hash = PasswordHash(text: hash)
        #expect(try await hasher.verify(Secret(password), against: hash))
        #expect(try await !hasher.verify(Secret(password + [0x21]), against: hash))
        #expect(try await !hasher.verify(Secret(Array(password.dropLast()) + [0x7E]), against: hash))
    }

    @Test("The defective variant x is refused, right password or not")
    func variantX() async throws {
        let hash = PasswordHash(text: "$2x$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e")
        #expect(try await !hasher.verify(Secret([0xA3]), against: hash))
    }
}
