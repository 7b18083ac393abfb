import CFaultVFS
import GateCore
import GateSQL
import GateSQLite
import GateTesting
import Glibc
import Testing

/// A disk that fails, once or from some moment on.
@Suite struct FaultTests {
    struct Fault: Sendable, CustomStringConvertible {
        let description: String
        let kind: fault_kind
        let operations: [fault_operation]
        let lasting: Bool
        let systemError: Int32
    }

    static let faults = [
        Fault(description: "a disk error, once", kind: FAULT_KIND_IO, operations: [FAULT_ALL], lasting: false, systemError: EIO),
        Fault(description: "a disk error, from then on", kind: FAULT_KIND_IO, operations: [FAULT_ALL], lasting: true, systemError: EIO),
        Fault(
            description: "a failing sync, once", kind: FAULT_KIND_IO, operations: [FAULT_SYNC], lasting: false, systemError: EIO),
        Fault(
            description: "a full disk, for one write", kind: FAULT_KIND_FULL, operations: [FAULT_WRITE], lasting: false,
            systemError: ENOSPC),
        Fault(
            description: "a full disk, from then on", kind: FAULT_KIND_FULL, operations: [FAULT_WRITE], lasting: true,
            systemError: ENOSPC),
        Fault(
            description: "a disk that becomes read-only", kind: FAULT_KIND_READ_ONLY, operations: [FAULT_WRITE, FAULT_TRUNCATE],
            lasting: true, systemError: EROFS),
    ]

    @Test("CHECKLIST 47: the Nth I/O fails: nothing answered is lost, nothing refused stays, and it goes on", arguments: faults)
    func writing(_ fault: Fault) async throws {
        for nth in 1...1000 {
            let folder = TemporaryFolder()
            let disk = FaultyDisk()
            let database = try await folder.open { options in
                options.vfs = disk.name
                options.checkpointInterval = 10
            }
            try await Ledger.makeSchema(database)
            var ledger = Ledger()
            disk.fail(fault.kind, fault.operations, nth: nth, lasting: fault.lasting, systemError: fault.systemError)
            for round in 0..<6 as Range<Int64> {
                await ledger.write(round * 10 + 1...round * 10 + 3, to: database)
                await expectMediumError { _ = try await database.read { try $0.row("SELECT count(*) FROM entry") { _ in } } }
            }
            let reached = disk.failures > 0
            disk.heal()
            for error in ledger.refused.values { #expect(isMediumError(error), "\(error)") }

            await ledger.write(1000...1000, to: database)
            #expect(ledger.answered.contains(1000), "does not go on after \(fault), N = \(nth): \(ledger.refused[1000] as Any)")
            try await ledger.check(database, refusedAreAbsent: true, "\(fault), N = \(nth), still open")
            await database.close()

            let reopened = try await folder.open()
            try await ledger.check(reopened, refusedAreAbsent: true, "\(fault), N = \(nth), opened again")
            await reopened.close()
            if !reached {
                #expect(nth > 5, "the fault never came")
                return
            }
        }
        Issue.record("the workload never ran through")
    }

    @Test("CHECKLIST 47: the Nth I/O fails while the database is opened and made", arguments: faults)
    func opening(_ fault: Fault) async throws {
        for nth in 1...1000 {
            let folder = TemporaryFolder()
            let disk = FaultyDisk()
            disk.fail(fault.kind, fault.operations, nth: nth, lasting: fault.lasting, systemError: fault.systemError)
            await expectMediumError {
                let database = try await folder.open { $0.vfs = disk.name }
                do {
                    try await Ledger.makeSchema(database)
                } catch {
                    await database.close()
                    throw error
                }
                await database.close()
            }
            let reached = disk.failures > 0
            disk.heal()
            let database = try await folder.open()
            try await database.changeSchema { try $0.executeScript("DROP TABLE IF EXISTS entry; DROP TABLE IF EXISTS newest") }
            try await Ledger.makeSchema(database)
            var ledger = Ledger()
            await ledger.write(1...1, to: database)
            #expect(ledger.answered == [1], "\(fault), N = \(nth)")
            await database.close()
            if !reached { return }
        }
        Issue.record("opening never ran through")
    }

    @Test("CHECKLIST 48: a full disk refuses writes, not reads, and is noticed to have room again without a client")
    func fullDisk() async throws {
        let folder = TemporaryFolder()
        let disk = FaultyDisk()
        let time = ManualTime()
        let database = try await folder.open(time: time) { $0.vfs = disk.name }
        try await Ledger.makeSchema(database)
        var ledger = Ledger()
        await ledger.write(1...1, to: database)
        disk.fail(FAULT_KIND_FULL, [FAULT_WRITE], systemError: ENOSPC)
        await ledger.write(2...4, to: database)
        #expect(ledger.answered == [1])
        for error in ledger.refused.values { expectFull(error) }
        let count = try await database.read { try $0.row("SELECT count(*) FROM entry") { row throws(StorageError) in try row.integer(0) } }
        #expect(count == 2)
        for _ in 0..<3 {
            guard case .failing(let error) = await database.health() else {
                Issue.record("healthy on a full disk")
                return
            }
            expectFull(error)
            time.advance(by: .seconds(2))
        }
        disk.heal()
        time.advance(by: .seconds(2))
        guard case .ok = await database.health() else {
            Issue.record("still failing after there was room again")
            return
        }
        await ledger.write(5...5, to: database)
        #expect(ledger.answered == [1, 5])
        await database.close()
    }

    @Test("A failing database is probed at most once a second")
    func probes() async throws {
        let folder = TemporaryFolder()
        let disk = FaultyDisk()
        let time = ManualTime()
        let database = try await folder.open(time: time) { $0.vfs = disk.name }
        disk.fail(FAULT_KIND_FULL, [FAULT_WRITE], systemError: ENOSPC)
        await #expect(throws: StorageError.self) { try await Ledger.makeSchema(database) }
        _ = await database.health()
        let first = disk.operations
        for _ in 0..<20 { _ = await database.health() }
        #expect(disk.operations == first)
        time.advance(by: .seconds(1))
        _ = await database.health()
        #expect(disk.operations > first)
        disk.heal()
        await database.close()
    }

    @Test("A commit that fails fails every write that shares it, and leaves none of them")
    func sharedCommit() async throws {
        let folder = TemporaryFolder()
        let disk = FaultyDisk()
        let database = try await folder.open { $0.vfs = disk.name }
        try await Ledger.makeSchema(database)
        let gate = WriterGate()
        let holding = Task { try await gate.hold(database) }
        await gate.held()
        let writing = Task {
            var ledger = Ledger()
            await ledger.write(1...50, to: database)
            return ledger
        }
        #expect(gate.waitUntilQueued(50, in: database))
        disk.fail(FAULT_KIND_IO, [FAULT_SYNC], lasting: false, systemError: EIO)
        gate.open()
        await #expect(throws: StorageError.self) { try await holding.value }
        let ledger = await writing.value
        #expect(ledger.answered == [])
        #expect(ledger.refused.count == 50)
        try await ledger.check(database, refusedAreAbsent: true, "after the failed commit")
        await database.close()
    }

    private func expectFull(_ error: StorageError) {
        guard case .full = error else {
            Issue.record("not .full: \(error)")
            return
        }
    }

    func isMediumError(_ error: StorageError) -> Bool {
        switch error {
        case .unavailable, .full, .readOnly, .inputOutput: true
        default: false
        }
    }

    private func expectMediumError(_ body: () async throws -> Void) async {
        do {
            try await body()
        } catch let error as StorageError {
            #expect(isMediumError(error), "\(error)")
        } catch {
            Issue.record("an error of another kind: \(error)")
        }
    }
}
