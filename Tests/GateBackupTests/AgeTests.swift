import GateCore
import GateCrypto
import GateTesting
import Testing

@testable import GateBackup

/// Bytes in memory as a sink and as a source that gives them in parts of any size.
final class Memory: ByteSink, ByteSource {
    var bytes: [UInt8]
    var isFinished = false
    private let part: Int
    private var place = 0

    init(_ bytes: [UInt8] = [], part: Int = .max) {
        self.bytes = bytes
        self.part = part
    }

    func write(_ bytes: UnsafeRawBufferPointer) { self.bytes += bytes }
    func finish() { isFinished = true }

    func read(into target: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(part, target.count, bytes.count - place)
        target.copyBytes(from: bytes[place..<place + count])
        place += count
        return count
    }

    static func all(of source: any ByteSource) throws(BackupError) -> [UInt8] {
        let memory = Memory()
        try source.drain(to: memory)
        return memory.bytes
    }
}

@Suite struct AgeTests {
    static let entropy = SeededEntropy(seed: 7)
    static let identity = try! AgeIdentity(secret: Secret(entropy.bytes(32)))
    static let other = try! AgeIdentity(secret: Secret(entropy.bytes(32)))
    static let sizes = [0, 1, 65_535, 65_536, 65_537, 131_072, 200_000]

    static func sealed(_ bytes: [UInt8], _ lock: AgeLock) throws -> [UInt8] {
        let memory = Memory()
        let sink = try AgeSink(lock, to: memory, entropy: entropy)
        try sink.write(bytes)
        try sink.finish()
        return memory.bytes
    }

    static func opened(_ bytes: [UInt8], _ keys: AgeKeys, part: Int = .max) throws -> [UInt8] {
        try Memory.all(of: AgeSource(Memory(bytes, part: part), keys: keys))
    }

    @Test("What is encrypted to public keys is read with any of the secret keys, however it is cut", arguments: sizes)
    func recipients(_ size: Int) throws {
        let bytes = Self.entropy.bytes(size)
        let sealed = try Self.sealed(bytes, .recipients([Self.other.recipient, Self.identity.recipient]))
        for identity in [Self.identity, Self.other] {
            for part in [Int.max, 1000, 1] where size * 1000 / part < 100_000_000 {
                #expect(try Self.opened(sealed, AgeKeys(identities: [identity]), part: part) == bytes)
            }
        }
    }

    @Test("What is encrypted with a passphrase is read with it, and with no other")
    func passphrase() throws {
        let bytes = Array("secret".utf8)
        let sealed = try Self.sealed(bytes, .passphrase(Secret("correct horse")))
        #expect(try Self.opened(sealed, AgeKeys { Secret("correct horse") }) == bytes)
        Self.expect(.wrongKey) { try Self.opened(sealed, AgeKeys { Secret("wrong horse") }) }
        Self.expect(.wrongKey) { try Self.opened(sealed, AgeKeys(identities: [Self.identity])) }
    }

    @Test("Another key, and none, are told from damage")
    func wrongKey() throws {
        let sealed = try Self.sealed([1, 2, 3], .recipients([Self.identity.recipient]))
        Self.expect(.wrongKey) { try Self.opened(sealed, AgeKeys(identities: [Self.other])) }
        Self.expect(.wrongKey) { try Self.opened(sealed, AgeKeys()) }
    }

    @Test("A byte changed, a byte missing or added anywhere: nothing is taken for whole")
    func damage() throws {
        let sealed = try Self.sealed(Self.entropy.bytes(70_000), .recipients([Self.identity.recipient]))
        let keys = AgeKeys(identities: [Self.identity])
        for place in Array(0..<250) + [65_000, 65_700, 66_000, sealed.count - 1] {
            var changed = sealed
            changed[place] ^= 1
            #expect(throws: BackupError.self, "byte \(place)") { try Self.opened(changed, keys) }
        }
        for count in [0, 1, 20, 100, 200, 65_751, 65_752, sealed.count - 1] {
            #expect(throws: BackupError.self, "\(count) bytes") { try Self.opened(Array(sealed.prefix(count)), keys) }
        }
        Self.expect(.damaged) { try Self.opened(sealed + [0], keys) }
    }

    @Test("A passphrase's work factor is bounded: a hostile file must not take the machine's memory")
    func workFactor() throws {
        let header =
            "age-encryption.org/v1\n-> scrypt \(AgeBase64.encode(Self.entropy.bytes(16))) 30\n\(AgeBase64.encode(Self.entropy.bytes(32)))\n"
            + "--- \(AgeBase64.encode(Self.entropy.bytes(32)))\n"
        Self.expect(.invalid) { try Self.opened(Array(header.utf8), AgeKeys { Secret("any") }) }
    }

    @Test("Keys are written as age writes them; what is none is refused")
    func keys() throws {
        let text = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
        #expect(AgeRecipient(text)?.description == text)
        #expect(AgeRecipient(text.uppercased()) == nil && AgeRecipient(text.dropLast() + "q") == nil && AgeRecipient("age1") == nil)
        #expect(AgeRecipient(Bech32.encode([1, 2, 3], prefix: "age")) == nil)
        let secret = Bech32.encode(Self.identity.secret.exposed, prefix: "age-secret-key-").uppercased()
        let read = try AgeIdentity.read("# created: today\r\n\n\(secret)\n")
        #expect(read.map(\.recipient) == [Self.identity.recipient])
        Self.expect(.invalid) { try AgeIdentity.read("# nothing\n") }
        #expect { try AgeIdentity.read("\(secret)\nAGE-SECRET-KEY-1QQQ\n") } throws: { error in
            "\(error)".contains("line 2") && !"\(error)".contains("QQQ")
        }
    }

    static func expect(_ kind: BackupError.Kind, _ body: () throws -> Any) {
        #expect { try body() } throws: { ($0 as? BackupError)?.kind == kind }
    }
}
