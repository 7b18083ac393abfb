import GateCore
import GateCrypto
import GateTesting
import Glibc
import Testing

@testable import GatehouseApp

/// The same bytes in every run.
private final class CountingEntropy: Entropy, @unchecked Sendable {
    // Used by one test at a time.
    private var generator = SplitMix(seed: 7)
    func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        for index in buffer.indices { buffer[index] = UInt8.random(in: 0...255, using: &generator) }
    }
}

@Suite("Secrets")
struct SecretsTests {
    private let folder = TemporaryFolder()
    private var file: SecretsFile { SecretsFile(folder: folder.path) }
    private let entropy = CountingEntropy()
    private let start = Timestamp(seconds: 1_795_219_200)
    private let overlap = Secrets.Overlap(accessTokenLifetime: .seconds(900), sessionLifetime: .seconds(86_400))

    private func error(_ body: () async throws -> Void) async -> String {
        do {
            try await body()
            return "none"
        } catch {
            return "\(error)".replacing(folder.path + "/", with: "")
        }
    }

    @Test("They are made at first start, for the owner's eyes only, and are the same at the second")
    func firstStart() async throws {
        let first = try await file.open([.hs256], at: start, entropy: entropy).secrets
        #expect(folder.mode("secrets.toml") == 0o600)
        #expect(folder.names == ["secrets.toml"])
        let second = try await file.open([.hs256], at: start + .seconds(60), entropy: entropy).secrets
        #expect(try second.signingKeyRing(.hs256, given: nil).current.id == (try first.signingKeyRing(.hs256, given: nil).current.id))
        #expect(second.sessionKeys.current == first.sessionKeys.current)
        #expect(second.accountHashKey == first.accountHashKey)
        #expect(first.sessionKeys.current != first.accountHashKey)
    }

    @Test("Each algorithm has its key, made when it is first wanted; the others stay", arguments: SigningAlgorithm.allCases)
    func algorithms(algorithm: SigningAlgorithm) async throws {
        let first = try await file.open([.hs256], at: start, entropy: entropy).secrets
        let second = try await file.open([algorithm], at: start, entropy: entropy).secrets
        let ring = try second.signingKeyRing(algorithm, given: nil)
        let token = try ring.sign(payload: Array("{}".utf8), typ: "at+jwt")
        let third = try await file.open([algorithm], at: start, entropy: entropy).secrets
        #expect(try third.signingKeyRing(algorithm, given: nil).verify(token, typ: "at+jwt") == Array("{}".utf8))
        #expect(try third.signingKeyRing(.hs256, given: nil).current.id == (try first.signingKeyRing(.hs256, given: nil).current.id))
    }

    @Test("After a rotation the old keys verify until what they made has expired, and not longer", arguments: SigningAlgorithm.allCases)
    func rotation(algorithm: SigningAlgorithm) async throws {
        var secrets = try await file.open([algorithm], at: start, entropy: entropy).secrets
        let token = try secrets.signingKeyRing(algorithm, given: nil).sign(payload: Array("{}".utf8), typ: "at+jwt")
        let session = secrets.sessionKeys.current
        let account = secrets.accountHashKey
        try secrets.rotate(algorithm, at: start, overlap: overlap, entropy: entropy)
        try file.write(secrets)
        #expect(folder.names == ["secrets.toml"] && folder.mode("secrets.toml") == 0o600)
        secrets = try #require(try file.read())
        #expect(secrets.sessionKeys.current != session && secrets.sessionKeys.previous == [session])
        // Limits are not forgotten by a rotation.
        #expect(secrets.accountHashKey == account)
        let ring = try secrets.signingKeyRing(algorithm, given: nil)
        #expect(try ring.verify(token, typ: "at+jwt") == Array("{}".utf8))
        #expect(try ring.sign(payload: Array("{}".utf8), typ: "at+jwt") != token)

        secrets.prune(at: start + .seconds(960), overlap: overlap)
        #expect(try secrets.signingKeyRing(algorithm, given: nil).verify(token, typ: "at+jwt") == Array("{}".utf8))
        secrets.prune(at: start + .seconds(961), overlap: overlap)
        #expect(throws: JWSError.unknownKey) { try secrets.signingKeyRing(algorithm, given: nil).verify(token, typ: "at+jwt") }
        #expect(secrets.sessionKeys.previous == [session])
        secrets.prune(at: start + .seconds(86_461), overlap: overlap)
        #expect(secrets.sessionKeys.previous == [])
        // What is in use is never dropped, however late it is.
        secrets.prune(at: start + .seconds(100 * 365 * 86_400), overlap: overlap)
        _ = try secrets.signingKeyRing(algorithm, given: nil)
    }

    @Test("Rotating again and again does not pile keys up")
    func manyRotations() async throws {
        var secrets = try await file.open([.hs256], at: start, entropy: entropy).secrets
        for hour in 1...100 { try secrets.rotate(.hs256, at: start + .seconds(hour * 3600), overlap: overlap, entropy: entropy) }
        #expect(secrets.signing.count == 2)
        #expect(secrets.session.count == 26)
    }

    @Test("A given secret signs, under an id made from it, and is changed where it was given")
    func givenSecret() async throws {
        var configuration = Configuration()
        configuration.dataDirectory = folder.path
        configuration.auth.jwtSecret = Secret("0123456789abcdef0123456789abcdef")
        let secrets = try await ServerSecrets(
            file, file.open(configuration.signingAlgorithms, at: start, entropy: entropy), configuration, time: FixedTime())
        // 8 hexadecimal digits of sha256sum.
        #expect(try secrets.signingKeys().current.id == "3eb1bd43")
        let session = secrets.sessionKeys.current
        let rotation = try await secrets.rotate(at: start, entropy: entropy)
        #expect(rotation.signingKeyID == nil && rotation.summary.contains("JWT_SECRET"))
        #expect(try secrets.signingKeys().current.id == "3eb1bd43")
        #expect(secrets.sessionKeys.current != session && secrets.sessionKeys.previous == [session])
        configuration.auth.jwtSecret = nil
        let generated = try await ServerSecrets(
            file, file.open(configuration.signingAlgorithms, at: start, entropy: entropy), configuration, time: FixedTime())
        let id = try generated.signingKeys().current.id
        #expect(id != "3eb1bd43")
        let second = try await generated.rotate(at: start, entropy: entropy)
        #expect(try second.signingKeyID == generated.signingKeys().current.id && second.signingKeyID != id)
        #expect(try file.read()?.sessionKeys.current == generated.sessionKeys.current)
    }

    @Test("A file that others can read or change is refused, with the cure", arguments: [0o640, 0o604, 0o620, 0o666] as [mode_t])
    func exposed(mode: mode_t) async throws {
        _ = try await file.open([.hs256], at: start, entropy: entropy).secrets
        chmod(file.path, mode)
        let message = await error { _ = try await file.open([.hs256], at: start, entropy: entropy).secrets }
        #expect(
            message
                == "secrets.toml: others on this machine can read or change it: chmod 600 secrets.toml, and if they may have: gatehouse secret rotate"
        )
        chmod(file.path, 0o600)
        #expect(try file.read() != nil)
    }

    @Test("CHECKLIST 51: a damaged file is refused with its path and advice, and left as it is")
    func damaged() async throws {
        _ = try await file.open([.hs256], at: start, entropy: entropy).secrets
        let sound = try #require(folder.read("secrets.toml"))
        let damages: [(text: String, problem: String)] = [
            ("", "version is missing or has another form"),
            (String(sound.prefix(sound.utf8.count / 2)), ""),
            (sound.replacing("version = 1", with: "version = 2"), "was written by another version"),
            (sound.replacing("algorithm = \"HS256\"", with: "algorithm = \"none\""), "an unknown algorithm"),
            (sound.replacing("account_hash_key", with: "hash_key"), "account_hash_key is missing"),
            (sound.replacing("[[session]]", with: "[[sessions]]"), "there is no session key"),
            (sound.replacing("created_at", with: "made_at"), "signing.created_at is missing"),
            (sound + "\0", "is damaged"),
        ]
        for damage in damages {
            folder.write("secrets.toml", damage.text)
            let message = await error { _ = try await file.open([.hs256], at: start, entropy: entropy).secrets }
            #expect(message.hasPrefix("secrets.toml: ") && message.contains(damage.problem), "\(message)")
            #expect(folder.read("secrets.toml") == damage.text)
        }
        folder.write("secrets.toml", bytes: [0xFF, 0xFE])
        #expect(await error { _ = try file.read() }.hasPrefix("secrets.toml: is not UTF-8: restore it from a backup"))
        // Cut anywhere, it is refused or complete; it never reads as something else, and nothing crashes.
        for length in stride(from: 0, to: sound.utf8.count, by: 3) {
            folder.write("secrets.toml", String(sound.prefix(length)))
            if let secrets = try? file.read() { #expect(secrets.session.count == 1 && secrets.signing.count == 1) }
        }
        unlink(file.path)
        mkdir(file.path, 0o700)
        #expect(await error { _ = try file.read() } == "secrets.toml: is no file: move it away")
    }

    @Test("CHECKLIST 43: neither messages nor dumps show a secret")
    func redacted() async throws {
        let secrets = try await file.open([.hs256], at: start, entropy: entropy).secrets
        let material = Base64URL.encode(secrets.sessionKeys.current.exposed)
        var dumped = ""
        dump(secrets, to: &dumped)
        #expect(!dumped.contains(material) && !"\(secrets)".contains(material) && "\(secrets)".contains("<redacted>"))
    }

    @Test("Where nothing can be written, it says so")
    func unwritable() async {
        let missing = SecretsFile(folder: folder.path + "/none")
        #expect(
            await error { _ = try await missing.open([.hs256], at: start, entropy: entropy).secrets }.contains(
                "cannot create a file beside"))
    }
}

@Suite("Atomic files")
struct AtomicFileTests {
    private let folder = TemporaryFolder()

    @Test("The content is whole, the mode is as asked, and nothing else is left")
    func write() throws {
        try AtomicFile.write("one".utf8, to: folder.file("a"), mode: 0o600)
        try AtomicFile.write("two".utf8, to: folder.file("a"), mode: 0o640)
        #expect(folder.read("a") == "two" && folder.mode("a") == 0o640 && folder.names == ["a"])
        try AtomicFile.write([UInt8](), to: folder.file("b"))
        #expect(folder.read("b") == "" && folder.mode("b") == 0o600)
    }

    @Test("Without replacing, what is there stays")
    func taken() throws {
        try AtomicFile.write("one".utf8, to: folder.file("a"), replacing: false)
        #expect {
            try AtomicFile.write("two".utf8, to: folder.file("a"), replacing: false)
        } throws: {
            ($0 as? AtomicFile.Failure)?.isTaken == true
        }
        #expect(folder.read("a") == "one" && folder.names == ["a"])
    }

    @Test("A failure names step and path, and leaves nothing behind")
    func failures() throws {
        mkdir(folder.file("folder"), 0o700)
        #expect {
            try AtomicFile.write("x".utf8, to: folder.file("folder"))
        } throws: {
            "\($0)" == "cannot replace \(folder.file("folder")): Is a directory"
        }
        #expect {
            try AtomicFile.write("x".utf8, to: folder.file("none/a"))
        } throws: {
            "\($0)" == "cannot create a file beside \(folder.file("none/a")): No such file or directory"
        }
        #expect(folder.names == ["folder"])
    }

    @Test("Readers of a file that is written over and over find one content or the other")
    func readers() async throws {
        let folder = folder
        let contents = ["a", "b"].map { String(repeating: $0, count: 100_000) }
        try AtomicFile.write(contents[0].utf8, to: folder.file("f"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for round in 0..<100 { try AtomicFile.write(contents[round % 2].utf8, to: folder.file("f")) } }
            group.addTask { for _ in 0..<200 { #expect(contents.contains(folder.read("f") ?? "")) } }
            try await group.waitForAll()
        }
    }
}
