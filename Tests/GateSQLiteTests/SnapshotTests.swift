import CFaultVFS
import GateCore
import GateSQL
import GateSQLite
import GateTesting
import Glibc
import Synchronization
import Testing

@Suite struct SnapshotTests {
    @Test("CHECKLIST 44: a backup blocks no write, not even where the log is long, and holds one moment's state")
    func blocksNoWrite() async throws {
        let folder = TemporaryFolder()
        let database = try await folder.open { options in
            options.checkpointInterval = 5
            // Reached by the first writes: without the backup, each commit would wait 250 ms for readers.
            options.logLimit = 40_000
        }
        try await Ledger.makeSchema(database)
        var ledger = Ledger()
        await ledger.write(1...400, to: database)
        let pause = Pause()
        async let snapshot = database.snapshot(to: folder.file("copy.db")) { copied, pages in
            pause.step(copied, pages)
            return true
        }
        await pause.reached()
        // The backup stands in the middle of the file all the while.
        let start = SystemTime().monotonic()
        for number in 401...460 as ClosedRange<Int64> { await ledger.write(number...number, to: database) }
        let duration = SystemTime().monotonic().since(start)
        #expect(ledger.refused.isEmpty && ledger.answered.count == 460)
        #expect(duration < .seconds(10), "60 writes that waited for the backup would take 15 s at least: \(duration)")
        #expect(fileSize("\(folder.databasePath)-wal") > 40_000, "the log was not begun anew meanwhile")
        pause.end()
        _ = try await snapshot
        #expect(pause.copied == pause.copied.sorted(), "it never begins anew, whatever is written: \(pause.copied)")
        let count = try SQLiteInspection.open(folder.file("copy.db")) { connection in
            try connection.row("SELECT count(*) FROM entry", []) { row throws(StorageError) in try row.integer(0) }
        }
        #expect(count == 800)
        // With it gone the log is bounded again.
        await ledger.write(461...700, to: database)
        for number in 701...720 as ClosedRange<Int64> { await ledger.write(number...number, to: database) }
        let before = fileSize("\(folder.databasePath)-wal")
        for number in 721...760 as ClosedRange<Int64> { await ledger.write(number...number, to: database) }
        #expect(fileSize("\(folder.databasePath)-wal") == before, "it is begun anew, and has the size that it had")
        await database.close()
        #expect(folder.mode("copy.db") == 0o600 && folder.names.filter { $0.hasPrefix("copy") } == ["copy.db"])
    }

    /// Holds a backup at its first step, and notes all.
    private final class Pause: Sendable {
        private let (entered, enteredContinuation) = AsyncStream<Void>.makeStream()
        private let gate = Semaphore()
        private let state = Mutex([Int]())

        var copied: [Int] { state.withLock { $0 } }

        func step(_ copied: Int, _ pages: Int) {
            let isFirst = state.withLock { state in
                state.append(copied)
                return state.count == 1
            }
            guard isFirst, copied < pages else { return }
            enteredContinuation.finish()
            gate.wait()
        }

        func reached() async { for await _ in entered {} }
        func end() { gate.signal() }
    }

    @Test("CHECKLIST 47: the Nth I/O fails while a backup is made: it says so, and the database goes on", arguments: FaultTests.faults)
    func faults(_ fault: FaultTests.Fault) async throws {
        let folder = TemporaryFolder()
        let disk = FaultyDisk()
        let database = try await folder.open { options in
            options.vfs = disk.name
            options.readers = 1
        }
        try await Ledger.makeSchema(database)
        var ledger = Ledger()
        await ledger.write(1...60, to: database)
        for nth in 1...1000 {
            let path = folder.file("copy-\(nth).db")
            disk.fail(fault.kind, fault.operations, nth: nth, lasting: fault.lasting, systemError: fault.systemError)
            var failure: StorageError?
            do { _ = try await database.snapshot(to: path) } catch { failure = error }
            let wasReached = disk.failures > 0
            disk.heal()
            if let failure { #expect(FaultTests().isMediumError(failure), "\(fault), N = \(nth): \(failure)") }
            if failure == nil {
                let count = try SQLiteInspection.open(path) { connection in
                    try connection.row("SELECT count(*) FROM entry", []) { row throws(StorageError) in try row.integer(0) }
                }
                #expect(count == Int64(ledger.answered.count * 2), "\(fault), N = \(nth): what is said to be done is whole")
            }
            await ledger.write(Int64(1000 + nth)...Int64(1000 + nth), to: database)
            #expect(ledger.refused.isEmpty, "\(fault), N = \(nth): the database does not go on")
            if !wasReached {
                #expect(nth > 2, "the fault never came")
                await database.close()
                return
            }
        }
        Issue.record("the backup never ran through")
    }

    @Test("A backup that is broken off ends at once")
    func brokenOff() async throws {
        let folder = TemporaryFolder()
        let database = try await folder.open()
        try await Ledger.makeSchema(database)
        await #expect(throws: StorageError.closed) { try await database.snapshot(to: folder.file("copy.db")) { _, _ in false } }
        await database.close()
    }

    @Test("A copy that was damaged, and another program's file, are found out without a trace beside them")
    func inspection() async throws {
        let folder = TemporaryFolder()
        let database = try await folder.open()
        try await Ledger.makeSchema(database)
        var ledger = Ledger()
        await ledger.write(1...200, to: database)
        _ = try await database.snapshot(to: folder.file("copy.db"))
        await database.close()
        var bytes = try contents(folder.file("copy.db"))
        for place in stride(from: 4096, to: bytes.count, by: 4096) { bytes[place] ^= 0xFF }
        try write(bytes, to: folder.file("damaged.db"))
        try write(Array("no database at all, but long enough to be looked at".utf8), to: folder.file("text.db"))
        try write([], to: folder.file("empty.db"))
        let names = folder.names
        for name in ["damaged.db", "text.db", "empty.db"] {
            #expect("\(name)") { try SQLiteInspection.open(folder.file(name)) { _ in } } throws: { error in
                if case .corrupt = error as? StorageError { true } else { false }
            }
        }
        #expect(folder.names == names)
    }
}
