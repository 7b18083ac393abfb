import GateCore
import GateCrypto
import GateTesting
import Testing

@testable import GatehouseApp

@Suite("The self-signed certificate")
struct SelfSignedFileTests {
    private let folder = TemporaryFolder()
    private let entropy = SeededEntropy(seed: 1)
    private let start = Timestamp(seconds: 1_800_000_000)

    private func open(_ names: [String] = ["localhost"], after days: Int = 0) throws -> CertifiedKey {
        let (certified, failure) = try SelfSignedFile(folder: folder.path, names: names)
            .open(at: start + .seconds(days * 86_400), entropy: entropy)
        #expect(failure == nil)
        return certified
    }

    @Test("It stays over restarts, until a month before its end")
    func stays() throws {
        let first = try open()
        #expect(try open().leaf.fingerprint == first.leaf.fingerprint)
        #expect(try open(after: 366).leaf.fingerprint == first.leaf.fingerprint)
        let second = try open(after: 368)
        #expect(second.leaf.fingerprint != first.leaf.fingerprint)
        #expect(try open(after: 369).leaf.fingerprint == second.leaf.fingerprint)
        // A clock that was set back: what is not valid yet is not served.
        #expect(try open(after: -9).leaf.fingerprint != second.leaf.fingerprint)
    }

    @Test("Another name is another certificate; addresses are names too")
    func names() throws {
        let first = try open()
        #expect(
            try open(["127.0.0.1", "[::1]", "a.test"]).leaf.names == [
                .dns("a.test"), .address(IPAddress("127.0.0.1")!), .address(IPAddress("::1")!),
            ])
        #expect(try open().leaf.fingerprint != first.leaf.fingerprint)
    }

    @Test("Only its owner can read it, and a damaged one is made anew")
    func file() throws {
        _ = try open()
        let path = folder.file("self-signed.pem")
        #expect(folder.mode("self-signed.pem") == 0o600)
        let whole = try TextFile(path: path).text
        for damaged in ["", "x", String(whole.dropLast(200)), String(whole.dropFirst(200)), whole.replacing("A", with: "B")] {
            folder.write("self-signed.pem", damaged)
            let made = try open()
            #expect(try open().leaf.fingerprint == made.leaf.fingerprint)
        }
    }

    @Test("Where it cannot be kept it is served all the same, and why is told")
    func unkept() throws {
        let file = try SelfSignedFile(folder: folder.file("missing"), names: ["a.test"])
        let (certified, failure) = try file.open(at: start, entropy: entropy)
        #expect(certified.leaf.names == [.dns("a.test")])
        #expect(failure?.path == file.path)
    }
}
