import CFaultVFS
import GateCore
import GateSQL
import GateSQLite
import GateTesting
import Glibc
import Testing

/// What is left when the machine, or the process, stops at any moment.
@Suite struct PowerCutTests {
    @Test(
        "CHECKLIST 46: what was answered survives a power cut at any write or sync, the rest is wholly there or absent",
        arguments: [0, 1, 7, 1234] as [UInt32])
    func powerCut(seed: UInt32) async throws {
        var survivors = 0
        for nth in 1...2000 {
            let folder = TemporaryFolder()
            let disk = FaultyDisk()
            disk.fail(FAULT_KIND_POWER_CUT, [FAULT_WRITE, FAULT_SYNC, FAULT_TRUNCATE, FAULT_DELETE], nth: nth, lasting: false)
            var ledger = Ledger()
            let made = await run(folder, disk, &ledger)
            let cut = disk.failures > 0

            let target = TemporaryFolder()
            #expect(disk.cutPower(folder.path, into: target.path, seed: seed &* UInt32(nth)) >= 0)
            let database = try await target.open()
            if made {
                try await ledger.check(database, refusedAreAbsent: false, "N = \(nth), seed \(seed)")
                await ledger.write(1000...1001, to: database)
                #expect(ledger.answered.isSuperset(of: [1000, 1001]), "does not go on: N = \(nth), seed \(seed)")
                survivors += ledger.answered.count
            }
            await database.close()
            if !cut {
                #expect(survivors > 100, "hardly anything was ever answered")
                return
            }
        }
        Issue.record("the workload never ran through")
    }

    /// Makes the database, fills it over several checkpoints, and closes it.
    /// - Returns: whether its schema was made, with an answer.
    private func run(_ folder: TemporaryFolder, _ disk: FaultyDisk, _ ledger: inout Ledger) async -> Bool {
        do {
            let database = try await folder.open { options in
                options.vfs = disk.name
                options.checkpointInterval = 8
                options.readers = 1
            }
            do {
                try await Ledger.makeSchema(database)
            } catch {
                await database.close()
                return false
            }
            for round in 0..<6 as Range<Int64> { await ledger.write(round * 10 + 1...round * 10 + 4, to: database) }
            await database.close()
            return true
        } catch {
            return false
        }
    }

    @Test("With a disk that lies about its syncs the same cut loses what was answered: the test above can fail")
    func lyingDisk() async throws {
        let folder = TemporaryFolder()
        let disk = FaultyDisk()
        let database = try await folder.open { $0.vfs = disk.name }
        try await Ledger.makeSchema(database)
        var ledger = Ledger()
        await ledger.write(1...3, to: database)
        disk.fail(FAULT_KIND_LYING_SYNC)
        await ledger.write(4...6, to: database)
        #expect(ledger.answered == [1, 2, 3, 4, 5, 6])
        let target = TemporaryFolder()
        #expect(disk.cutPower(folder.path, into: target.path, seed: 0) > 0)
        disk.heal()
        await database.close()
        let left = try await target.open()
        let present = try await left.read {
            try $0.rows("SELECT DISTINCT write FROM entry ORDER BY write") { row throws(StorageError) in try row.integer(0) }
        }
        #expect(present == [1, 2, 3])
        await left.close()
    }

    @Test("A commit that failed is not found done by the next start, even if the process is killed at once")
    func killedAfterFailedCommit() async throws {
        let folder = TemporaryFolder()
        let disk = FaultyDisk()
        let database = try await folder.open { $0.vfs = disk.name }
        try await Ledger.makeSchema(database)
        var ledger = Ledger()
        await ledger.write(1...1, to: database)
        disk.fail(FAULT_KIND_IO, [FAULT_SYNC], lasting: false, systemError: EIO)
        await ledger.write(2...2, to: database)
        #expect(ledger.refused.keys.contains(2))
        // All that was written, synced or not: what a killed process leaves.
        let target = TemporaryFolder()
        for name in ["gatehouse.db", "gatehouse.db-wal"] { try copy("\(folder.path)/\(name)", to: "\(target.path)/\(name)") }
        let restarted = try await target.open()
        try await ledger.check(restarted, refusedAreAbsent: true, "started again")
        await restarted.close()
        await database.close()
    }
}
