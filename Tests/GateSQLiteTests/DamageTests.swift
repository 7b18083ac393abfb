import CFaultVFS
import GateCore
import GateSQL
import GateSQLite
import GateTesting
import Glibc
import Testing

/// Files that must not be touched.
@Suite struct DamageTests {
    struct Damage: Sendable, CustomStringConvertible {
        let description: String
        let inflict: @Sendable (inout [UInt8]) -> Void
    }

    static let damages = [
        Damage(description: "cut off in the middle of a page") { $0.removeLast($0.count / 2 + 100) },
        Damage(description: "cut off after the first page") { $0.removeLast($0.count - 4096) },
        Damage(description: "cut off within the header") { $0.removeLast($0.count - 50) },
        Damage(description: "a header of garbage") { for index in 0..<100 { $0[index] = UInt8(truncatingIfNeeded: index &* 37) } },
        Damage(description: "a header of zeros") { for index in 0..<100 { $0[index] = 0 } },
        Damage(description: "flipped bytes in the schema") { for index in 100..<120 { $0[index] ^= 0xFF } },
        Damage(description: "flipped bytes in the middle") { bytes in
            for index in bytes.count / 2 / 4096 * 4096..<bytes.count / 2 / 4096 * 4096 + 16 { bytes[index] ^= 0x55 }
        },
        Damage(description: "pages of zeros in the middle") { bytes in
            for index in bytes.count / 2 / 4096 * 4096..<(bytes.count / 2 / 4096 + 3) * 4096 { bytes[index] = 0 }
        },
        Damage(description: "a text file") { $0 = Array("This is no database, however long it may be.\n".utf8) },
        Damage(description: "another program's database") { for index in 68..<72 { $0[index] = 0x11 } },
    ]

    private func filledFile(_ folder: TemporaryFolder) async throws -> [UInt8] {
        let database = try await folder.open()
        try await Ledger.makeSchema(database)
        var ledger = Ledger()
        for round in 0..<5 as Range<Int64> { await ledger.write(round * 100 + 1...round * 100 + 60, to: database) }
        await database.close()
        return try contents(folder.databasePath)
    }

    @Test("CHECKLIST 51: a damaged database is refused with its path and advice, and left as it is", arguments: damages)
    func damaged(_ damage: Damage) async throws {
        let folder = TemporaryFolder()
        var bytes = try await filledFile(folder)
        damage.inflict(&bytes)
        try write(bytes, to: folder.databasePath)
        await expectCorrupt(folder, mentioning: folder.databasePath)
        #expect(try contents(folder.databasePath) == bytes)
        // And again: the first refusal has not made it acceptable.
        await expectCorrupt(folder, mentioning: folder.databasePath)
        #expect(try contents(folder.databasePath) == bytes)
    }

    static let damagesBesideLog = [
        Damage(description: "emptied") { $0.removeAll() },
        damages[6],
    ]

    @Test("CHECKLIST 51: a damaged database with a write-ahead log beside it keeps both", arguments: damagesBesideLog)
    func damagedWithLog(_ damage: Damage) async throws {
        let folder = TemporaryFolder()
        _ = try await filledFile(folder)
        let database = try await folder.open()
        var ledger = Ledger()
        await ledger.write(1000...1001, to: database)
        let copied = TemporaryFolder()
        let log = "\(copied.databasePath)-wal"
        try copy(folder.databasePath, to: copied.databasePath)
        try copy("\(folder.databasePath)-wal", to: log)
        await database.close()

        var bytes = try contents(copied.databasePath)
        damage.inflict(&bytes)
        try write(bytes, to: copied.databasePath)
        let logBytes = try contents(log)
        #expect(logBytes.count > 4096)
        await expectCorrupt(copied, mentioning: copied.databasePath)
        #expect(try contents(copied.databasePath) == bytes)
        #expect(try contents(log) == logBytes)
    }

    @Test("Damage that appears while it runs is told as such, with the path, by the read that meets it")
    func damagedWhileOpen() async throws {
        let folder = TemporaryFolder()
        var bytes = try await filledFile(folder)
        for index in 8192..<bytes.count { bytes[index] = 0x5A }
        try write(bytes, to: folder.databasePath)
        let database = try await folder.open { $0.checkedSize = 0 }
        await #expect {
            try await database.read { try $0.row("SELECT count(*), sum(length(body)) FROM entry") { _ in } }
        } throws: { error in
            guard case StorageError.corrupt(let reason) = error else { return false }
            return reason.contains(folder.databasePath)
        }
        await database.close()
    }

    @Test("A folder in place of the file is refused with its path")
    func folderAsFile() async throws {
        let folder = TemporaryFolder()
        mkdir(folder.databasePath, 0o700)
        await expectCorrupt(folder, mentioning: folder.databasePath)
    }

    @Test("Where nothing can be made, the error is about writing and names the path")
    func unwritableFolder() async throws {
        let path = "/sys/gatehouse-test/gatehouse.db"
        await #expect {
            try await SQLiteDatabase.open(path: path, time: SystemTime(), logger: .quiet)
        } throws: { error in
            switch error as? StorageError {
            case .readOnly(let reason), .unavailable(let reason): reason.contains("/sys/gatehouse-test")
            default: false
            }
        }
    }

    @Test(
        "A file that may not be opened is refused with its path and the system's reason",
        arguments: [
            (EACCES, "Permission denied"), (EROFS, "Read-only file system"), (ENOSPC, "No space left"), (EMFILE, "Too many open files"),
        ])
    func cannotOpen(_ systemError: Int32, _ words: String) async throws {
        let folder = TemporaryFolder()
        _ = try await filledFile(folder)
        let disk = FaultyDisk()
        disk.fail(FAULT_KIND_IO, [FAULT_OPEN], systemError: systemError)
        await #expect {
            try await folder.open { $0.vfs = disk.name }
        } throws: { error in
            switch error as? StorageError {
            case .readOnly(let reason), .unavailable(let reason), .full(let reason):
                reason.contains(folder.databasePath) && reason.contains(words)
            default: false
            }
        }
    }

    @Test("The folder is made with 0700, the file and its log with 0600")
    func permissions() async throws {
        let folder = TemporaryFolder()
        let path = "\(folder.path)/a/b/gatehouse.db"
        let database = try await SQLiteDatabase.open(path: path, time: SystemTime(), logger: .quiet)
        try await Ledger.makeSchema(database)
        var status = stat()
        for (name, mode) in [("a", 0o700), ("a/b", 0o700), ("a/b/gatehouse.db", 0o600), ("a/b/gatehouse.db-wal", 0o600)] {
            #expect(stat("\(folder.path)/\(name)", &status) == 0)
            #expect(Int(status.st_mode) & 0o777 == mode, "\(name)")
        }
        await database.close()
    }

    private func expectCorrupt(_ folder: TemporaryFolder, mentioning path: String) async {
        await #expect {
            try await folder.open()
        } throws: { error in
            guard case StorageError.corrupt(let reason) = error else { return false }
            return reason.contains(path)
        }
    }
}
