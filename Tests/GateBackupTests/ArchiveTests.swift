import GateCore
import GateTesting
import Glibc
import Testing

@testable import GateBackup

@Suite struct ArchiveTests {
    let folder = TemporaryFolder()
    static let entropy = SeededEntropy(seed: 3)
    static let database = entropy.bytes(300_000)

    /// A backup of a made-up database, at `path`.
    private func make(_ lock: AgeLock? = nil, extra: [(path: String, content: BackupContents.Content)] = []) throws -> String {
        folder.write("snapshot.db", bytes: Self.database)
        let contents = BackupContents(
            version: "1.2.3", createdAt: TarTests.time, reason: .manual, schemaVersion: 4,
            members: [(BackupManifest.database, .file(path: folder.file("snapshot.db")))] + extra)
        let file = try PartialFile(in: folder.path, entropy: SystemEntropy())
        let (manifest, keys) = try BackupArchive.write(contents, lock: lock, to: file, entropy: Self.entropy) { false }
        #expect(try BackupArchive.read(FileSource(file.path), keys: keys) == manifest)
        let path = folder.file("backup-\(folder.names.count)")
        try file.place(at: path, replacing: false)
        return path
    }

    /// One that is packed by hand.
    private func pack(_ manifest: String, _ members: [(path: String, bytes: [UInt8])]) throws -> Memory {
        let packed = Memory()
        let gzip = try GzipSink(to: packed)
        try gzip.write(try TarTests.written([("manifest.json", Array(manifest.utf8))] + members))
        try gzip.finish()
        return packed
    }

    private static let hash = String(repeating: "0", count: 64)
    private static func manifest(_ members: String, format: Int = 1) -> String {
        """
        {"format":\(format),"program":"gatehouse","version":"1","created_at":"2026-11-21T00:00:00Z","reason":"manual","schema_version":1,\
        "members":[\(members)]}
        """
    }

    @Test("What was written comes back, member by member, encrypted or not")
    func roundTrip() throws {
        let extra: [(path: String, content: BackupContents.Content)] = [("secrets/secrets.toml", .bytes(Array("key".utf8)))]
        let locks: [AgeLock?] = [nil, .recipients([AgeTests.identity.recipient])]
        for lock in locks {
            let path = try make(lock, extra: extra)
            #expect(folder.mode(Folders.name(of: path)) == 0o600)
            var written: [String: Memory] = [:]
            let keys = AgeKeys(identities: [AgeTests.identity])
            let manifest = try BackupArchive.read(
                FileSource(path), keys: keys,
                target: { member throws(BackupError) in
                    written[member.path] = Memory()
                    return written[member.path]
                })
            #expect(manifest.version == "1.2.3" && manifest.schemaVersion == 4 && manifest.hasSecrets && manifest.reason == .manual)
            #expect(written[BackupManifest.database]?.bytes == Self.database && written[BackupManifest.database]?.isFinished == true)
            #expect(written["secrets/secrets.toml"]?.bytes == Array("key".utf8))
        }
    }

    @Test("A byte changed or missing anywhere in the file is found")
    func damage() throws {
        let path = try make()
        let bytes = try FileSource(path).all(limit: 1 << 20)
        // The gzip header's time and system say nothing.
        for place in [0, 1, 2, 20, 100] + Array(stride(from: 200, to: bytes.count, by: 9001)) + [bytes.count - 1] {
            var changed = bytes
            changed[place] ^= 1
            #expect(throws: BackupError.self, "byte \(place)") { try BackupArchive.read(Memory(changed), keys: AgeKeys()) }
        }
        for count in [0, 1, 21, 22, 1000, bytes.count - 8, bytes.count - 1] {
            #expect(throws: BackupError.self, "\(count) bytes") {
                try BackupArchive.read(Memory(Array(bytes.prefix(count))), keys: AgeKeys())
            }
        }
        AgeTests.expect(.damaged) { try BackupArchive.read(Memory(bytes + [0]), keys: AgeKeys()) }
    }

    @Test("What is no backup is told from one that is damaged, and from a newer one")
    func foreign() throws {
        let cases: [(BackupError.Kind, Memory)] = [
            (.foreign, Memory(Array("hello".utf8))), (.foreign, Memory()),
            (.foreign, Memory(Array("-----BEGIN AGE ENCRYPTED FILE-----\n".utf8))), (.foreign, try pack("{}", [])),
            (.newer, try pack(Self.manifest("", format: 2), [])),
            (.damaged, try pack(Self.manifest(""), [])),
            (.damaged, try pack(Self.manifest(#"{"path":"gatehouse.db","size":1,"sha256":"\#(Self.hash)"}"#), [("gatehouse.db", [1])])),
            (.damaged, try pack(Self.manifest(#"{"path":"gatehouse.db","size":0,"sha256":"\#(Self.hash)"}"#), [])),
            (
                .damaged,
                try pack(
                    Self.manifest(#"{"path":"gatehouse.db","size":-1,"sha256":"\#(Self.hash)"}"#), [])
            ),
        ]
        for (kind, source) in cases { AgeTests.expect(kind) { try BackupArchive.read(source, keys: AgeKeys()) } }
    }

    @Test("A member that the manifest does not name, or names elsewhere, is refused")
    func strangers() throws {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        let database = #"{"path":"gatehouse.db","size":0,"sha256":"\#(empty)"}"#
        #expect(throws: Never.self) { try BackupArchive.read(try pack(Self.manifest(database), [("gatehouse.db", [])]), keys: AgeKeys()) }
        let cases: [(String, [(path: String, bytes: [UInt8])])] = [
            (database, [("gatehouse.db", []), ("secrets/more", [])]), (database, [("gatehouse.db", []), ("gatehouse.db", [])]),
            (database + #",{"path":"other/x","size":0,"sha256":"\#(empty)"}"#, [("gatehouse.db", []), ("other/x", [])]),
        ]
        for (members, content) in cases {
            AgeTests.expect(.damaged) { try BackupArchive.read(try pack(Self.manifest(members), content), keys: AgeKeys()) }
        }
    }

    @Test("A bomb is read in parts and ends where its manifest says")
    func bomb() throws {
        let packed = Memory()
        let gzip = try GzipSink(to: packed)
        try gzip.write(
            try TarTests.written([
                ("manifest.json", Array(Self.manifest(#"{"path":"gatehouse.db","size":1,"sha256":"\#(Self.hash)"}"#).utf8))
            ])
            .dropLast(1024) + TarTests.block("gatehouse.db", size: 1 << 32))
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        for _ in 0..<64 { try gzip.write(zeros) }
        try gzip.finish()
        #expect(packed.bytes.count < 1 << 20)
        var begun = 0
        AgeTests.expect(.damaged) {
            try BackupArchive.read(
                packed, keys: AgeKeys(),
                target: { _ throws(BackupError) in
                    begun += 1
                    return nil
                })
        }
        #expect(begun == 0, "a member of another size than the manifest says is not begun")
    }

    @Test("A file has its name when it is complete, and not before; what was left behind is swept away")
    func partialFiles() throws {
        do {
            let abandoned = try PartialFile(in: folder.path, entropy: SystemEntropy())
            try abandoned.write([1])
            PartialFile.sweep(folder.path)
            #expect(folder.names.count == 1, "one that is being written stays")
        }
        #expect(folder.names.isEmpty, "one that was given up is gone")
        folder.write(".gatehouse-backup-0123.partial", "left behind")
        folder.write("gatehouse-backup.partial", "not ours")
        PartialFile.sweep(folder.path)
        #expect(folder.names == ["gatehouse-backup.partial"])
        let file = try PartialFile(in: folder.path, entropy: SystemEntropy())
        AgeTests.expect(.taken) { try file.place(at: folder.file("gatehouse-backup.partial"), replacing: false) }
        #expect(folder.read("gatehouse-backup.partial") == "not ours")
    }

    @Test("Room on the disk is asked for first")
    func room() throws {
        try FreeSpace.require([(folder.path, 1000), (folder.path, 1000)])
        AgeTests.expect(.full) { try FreeSpace.require([(folder.path, 1000), (folder.path, 1 << 60)]) }
        AgeTests.expect(.missing) { try FreeSpace.require([(folder.file("nowhere"), 1)]) }
    }
}
