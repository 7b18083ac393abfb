import CFaultVFS
import GateCore
import GateSQL
import GateSQLite
import GateTesting
import Glibc
import Synchronization
import Testing

@Suite struct DatabaseTests {
    @Test("Writes that wait share a commit")
    func groupCommit() async throws {
        let folder = TemporaryFolder()
        let disk = FaultyDisk()
        let database = try await folder.open { $0.vfs = disk.name }
        try await Ledger.makeSchema(database)
        let gate = WriterGate()
        let holding = Task { try await gate.hold(database) }
        await gate.held()
        let writing = Task {
            var ledger = Ledger()
            await ledger.write(1...200, to: database)
            return ledger
        }
        #expect(gate.waitUntilQueued(200, in: database))
        disk.count([FAULT_SYNC])
        gate.open()
        try await holding.value
        let ledger = await writing.value
        #expect(ledger.answered.count == 200)
        #expect(disk.operations == 1, "201 writes, \(disk.operations) syncs")
        await database.close()
    }

    @Test("A commit holds no more writes than its bound")
    func batchLimit() async throws {
        let folder = TemporaryFolder()
        let disk = FaultyDisk()
        let database = try await folder.open { options in
            options.vfs = disk.name
            options.batchLimit = 10
        }
        try await Ledger.makeSchema(database)
        let gate = WriterGate()
        let holding = Task { try await gate.hold(database) }
        await gate.held()
        let writing = Task {
            var ledger = Ledger()
            await ledger.write(1...99, to: database)
            return ledger
        }
        #expect(gate.waitUntilQueued(99, in: database))
        disk.count([FAULT_SYNC])
        gate.open()
        try await holding.value
        #expect(await writing.value.answered.count == 99)
        #expect(disk.operations == 10, "100 writes, ten to a commit, \(disk.operations) syncs")
        await database.close()
    }

    struct Slip: Error, Hashable { let write: Int }

    /// How a body in a shared transaction ends.
    enum Body: CaseIterable { case good, throwsBeforeItWrote, throwsAfterItWrote, breaksAConstraint, goesOnAfterABrokenConstraint }

    @Test("Bodies that share a transaction are undone one by one, wherever they throw", arguments: 0..<8)
    func undoing(round: Int) async throws {
        let folder = TemporaryFolder()
        let database = try await folder.open()
        try await Ledger.makeSchema(database)
        try await database.changeSchema { try $0.executeScript("CREATE TABLE line (id INTEGER PRIMARY KEY, part INTEGER) STRICT") }
        var random = SplitMix(seed: UInt64(round))
        // A first slip in a batch, and one in a batch that is run with care already.
        for batch in 0..<2 {
            let gate = WriterGate()
            let holding = Task { try await gate.hold(database) }
            await gate.held()
            let bodies = (0..<40).map { number in
                (id: batch * 100 + number, body: Body.allCases[Int(random.next() % UInt64(round == 0 ? 2 : Body.allCases.count))])
            }
            let writing = bodies.map { id, body in Task { try await Self.writeLine(id, body, to: database) } }
            #expect(gate.waitUntilQueued(bodies.count, in: database))
            gate.open()
            try await holding.value
            for ((id, body), outcome) in zip(bodies, writing) {
                switch (body, await outcome.result) {
                case (.good, .success), (.goesOnAfterABrokenConstraint, .success): break
                case (.throwsBeforeItWrote, .failure(let error)), (.throwsAfterItWrote, .failure(let error)):
                    #expect(error as? Slip == Slip(write: id))
                case (.breaksAConstraint, .failure(let error)): #expect(error is StorageError)
                case let other: Issue.record("\(id): \(other)")
                }
            }
            let kept = bodies.filter { $0.body == .good || $0.body == .goesOnAfterABrokenConstraint }.map(\.id)
            let (ids, parts) = try await database.read { connection in
                var ids: [Int] = []
                var parts = 0
                try connection.query("SELECT id, part FROM line WHERE id >= ?1 ORDER BY id", [batch * 100]) { row throws(StorageError) in
                    ids.append(Int(try row.integer(0)))
                    parts += Int(try row.integer(1))
                }
                return (ids, parts)
            }
            #expect(ids == kept.sorted() && parts == 2 * kept.count, "each is there as a whole, once")
        }
        await database.close()
    }

    private static func writeLine(_ id: Int, _ body: Body, to database: SQLiteDatabase) async throws {
        try await database.write { connection in
            try connection.query("SELECT count(*) FROM line", []) { _ in }
            if body == .throwsBeforeItWrote { throw Slip(write: id) }
            try connection.execute("INSERT INTO line (id, part) VALUES (?1, 1)", [id])
            switch body {
            case .good, .throwsBeforeItWrote: break
            case .throwsAfterItWrote: throw Slip(write: id)
            case .breaksAConstraint: try connection.execute("INSERT INTO line (id, part) VALUES (?1, 1)", [id])
            case .goesOnAfterABrokenConstraint: _ = try? connection.execute("INSERT INTO line (id, part) VALUES (?1, 1)", [id])
            }
            try connection.execute("UPDATE line SET part = part + 1 WHERE id = ?1", [id])
        }
    }

    @Test("What a body answered to another's row that is gone is not believed: it runs again")
    func seenAndGone() async throws {
        let runs = Mutex(0)
        let (kept, outcomes) = try await sharing([
            { connection in
                let run = runs.withLock {
                    $0 += 1
                    return $0
                }
                try connection.execute("INSERT INTO line (id, part) VALUES (1, 1)", [])
                if run > 1 { throw Slip(write: 1) }
            },
            { connection in
                var isTaken = false
                try connection.query("SELECT 1 FROM line WHERE id = 1", []) { _ in isTaken = true }
                if isTaken { throw Slip(write: 2) }
                try connection.execute("INSERT INTO line (id, part) VALUES (2, 1)", [])
            },
            { connection in
                try connection.execute("INSERT INTO line (id, part) VALUES (3, 1)", [])
                throw Slip(write: 3)
            },
        ])
        #expect(outcomes == [Slip(write: 1), nil, Slip(write: 3)])
        #expect(kept == [2])
    }

    @Test("Where a body ends the transaction, nobody's write commits by itself")
    func transactionGone() async throws {
        let (kept, outcomes) = try await sharing([
            { try $0.execute("INSERT INTO line (id, part) VALUES (1, 1)", []) },
            { try $0.execute("ROLLBACK", []) },
            { connection in
                try connection.execute("INSERT INTO line (id, part) VALUES (3, 1)", [])
                throw Slip(write: 3)
            },
        ])
        #expect(kept == [] && !outcomes.contains(nil))
    }

    /// Runs bodies in one transaction, in their order.
    ///
    /// - Returns: the lines that are there afterwards, and what each body's caller was thrown, of another kind as a slip of no write.
    private func sharing(
        _ bodies: [@Sendable (any SQLConnection) throws -> Void]
    ) async throws -> (kept: [Int], outcomes: [Slip?]) {
        let folder = TemporaryFolder()
        let database = try await folder.open()
        try await Ledger.makeSchema(database)
        try await database.changeSchema { try $0.executeScript("CREATE TABLE line (id INTEGER PRIMARY KEY, part INTEGER) STRICT") }
        let gate = WriterGate()
        let holding = Task { try await gate.hold(database) }
        await gate.held()
        var writing: [Task<Void, any Error>] = []
        for body in bodies {
            writing.append(Task { try await database.write { try body($0) } })
            #expect(gate.waitUntilQueued(writing.count, in: database))
        }
        gate.open()
        _ = await holding.result
        var outcomes: [Slip?] = []
        for write in writing {
            if case .failure(let error) = await write.result {
                outcomes.append(error as? Slip ?? Slip(write: 0))
            } else {
                outcomes.append(nil)
            }
        }
        let kept = try await database.read { connection in
            var ids: [Int] = []
            try connection.query("SELECT id FROM line ORDER BY id", []) { row throws(StorageError) in ids.append(Int(try row.integer(0))) }
            return ids
        }
        await database.close()
        return (kept, outcomes)
    }

    @Test("One write more than may wait is answered with busy, and the others are done")
    func queueLimit() async throws {
        let folder = TemporaryFolder()
        let database = try await folder.open { $0.queueLimit = 5 }
        try await Ledger.makeSchema(database)
        let gate = WriterGate()
        let holding = Task { try await gate.hold(database) }
        await gate.held()
        var ledger = Ledger()
        let writing = Task {
            var ledger = Ledger()
            await ledger.write(1...5, to: database)
            return ledger
        }
        #expect(gate.waitUntilQueued(5, in: database))
        await ledger.write(6...6, to: database)
        guard case .busy = ledger.refused[6] else {
            Issue.record("not busy: \(ledger)")
            gate.open()
            return
        }
        gate.open()
        try await holding.value
        #expect(await writing.value.answered == [1, 2, 3, 4, 5])
        await database.close()
    }

    @Test("Closing lets what waits finish, may be repeated, and refuses what comes later")
    func closing() async throws {
        let folder = TemporaryFolder()
        let database = try await folder.open()
        try await Ledger.makeSchema(database)
        let gate = WriterGate()
        let holding = Task { try await gate.hold(database) }
        await gate.held()
        let writing = Task {
            var ledger = Ledger()
            await ledger.write(1...20, to: database)
            return ledger
        }
        #expect(gate.waitUntilQueued(20, in: database))
        async let first: Void = database.close()
        async let second: Void = database.close()
        gate.open()
        _ = await (first, second)
        try await holding.value
        let ledger = await writing.value
        #expect(ledger.answered.count == 20)
        await #expect(throws: StorageError.closed) { try await database.write { _ in } }
        await #expect(throws: StorageError.closed) { try await database.read { _ in } }
        #expect(await database.health() == .failing(.closed))
        #expect(folder.names == ["gatehouse.db"], "the log is left beside the file")
        let again = try await folder.open()
        try await ledger.check(again, refusedAreAbsent: true, "opened again")
        await again.close()
    }

    @Test("A healthy database says so, with the time that a read took")
    func healthy() async throws {
        let folder = TemporaryFolder()
        let database = try await folder.open()
        guard case .ok(let latency) = await database.health() else {
            Issue.record("not healthy")
            return
        }
        #expect(latency > .zero)
        await database.close()
    }

    @Test("What a caller does wrong does not make the database unhealthy")
    func faultyBodies() async throws {
        let folder = TemporaryFolder()
        let database = try await folder.open()
        await #expect(throws: StorageError.self) { try await database.write { try $0.execute("NONSENSE") } }
        guard case .ok = await database.health() else {
            Issue.record("not healthy")
            return
        }
        await database.close()
    }

    @Test("CHECKLIST 49: a second opener of a data folder is refused, naming the process that has it")
    func lock() throws {
        let folder = TemporaryFolder()
        let held = try DataDirectoryLock(folder: "\(folder.path)/data")
        #expect {
            try DataDirectoryLock(folder: "\(folder.path)/data")
        } throws: { error in
            guard case StorageError.busy(let reason) = error else { return false }
            return reason.contains("process \(getpid())") && reason.contains("\(folder.path)/data")
        }
        held.release()
        held.release()
        let again = try DataDirectoryLock(folder: "\(folder.path)/data")
        #expect(try contents(again.path) == Array("\(getpid())\n".utf8))
    }

    @Test("A lock file that a killed process left locks nothing")
    func leftLock() throws {
        let folder = TemporaryFolder()
        try write(Array("4194303999\n".utf8), to: "\(folder.path)/gatehouse.lock")
        let lock = try DataDirectoryLock(folder: folder.path)
        #expect(try contents(lock.path) == Array("\(getpid())\n".utf8))
    }
}
