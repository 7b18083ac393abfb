import GateCore
import GateSQL
import GateStores
import GateTesting
import Testing

@Suite("Leases: one instance at a time")
struct LeaseTests {
    @Test("in one process")
    func memory() async throws {
        let time = ManualTime()
        try await LeaseStoreContract(MemoryLeaseStore(time: time), time: time) { time.advance(by: $0) }.run()
    }

    @Test("in a database that instances share")
    func shared() async throws {
        try await AccountDatabase.with(.postgres) { accounts in
            let time = ManualTime()
            let database = accounts.database
            let store = SQLLeaseStore(database, time: time)
            // The database's clock cannot be moved: the rows are moved instead.
            let contract = LeaseStoreContract(store, time: time) { duration in
                time.advance(by: duration)
                let milliseconds = duration.wholeMilliseconds
                _ = try await database.write { try $0.execute("UPDATE leases SET expires_at = expires_at - ?1", [milliseconds]) }
            }
            try await contract.run()
        }
    }

    @Test("work whose lease is lost is cancelled")
    func lost() async throws {
        let time = ManualTime()
        let store = MemoryLeaseStore(time: time)
        await #expect(throws: CancellationError.self) {
            _ = try await store.holding("work", by: Sample.id(), for: .milliseconds(15), time: time) { lease in
                // As when the process was asleep: renewing comes too late.
                time.advance(by: .seconds(1))
                try await Task.sleep(for: .seconds(60))
            }
        }
        #expect(try await store.acquire("work", by: Sample.id(), for: .seconds(60)).lease != nil)
    }

    /// Whose answer to a renewal never comes.
    private struct Silent: LeaseStore {
        let store: MemoryLeaseStore

        func acquire(_ name: String, by holder: Instance.ID, for duration: Duration) async throws -> LeaseAnswer {
            try await store.acquire(name, by: holder, for: duration)
        }
        func renew(_ lease: Lease, for duration: Duration) async throws -> Lease? {
            try await Task.sleep(for: .seconds(60))
            return nil
        }
        func release(_ lease: Lease) async throws { try await store.release(lease) }
    }

    @Test("work is cancelled when its lease ends, even though the store does not answer")
    func silent() async throws {
        let time = SystemTime()
        let begun = time.monotonic()
        await #expect(throws: CancellationError.self) {
            _ = try await Silent(store: MemoryLeaseStore(time: time))
                .holding("work", by: Sample.id(), for: .milliseconds(60), time: time) { _ in try await Task.sleep(for: .seconds(50)) }
        }
        #expect(time.monotonic().since(begun) < .seconds(30))
    }

    @Test("what work has done is told, even where its caller was cancelled meanwhile", arguments: [1, 60_000])
    func cancelled(milliseconds: Int) async throws {
        let store = MemoryLeaseStore(time: ManualTime())
        let (began, begin) = AsyncStream<Void>.makeStream()
        let caller = Task {
            try await store.holding("work", by: Sample.id(), for: .milliseconds(milliseconds), time: ManualTime()) { _ in
                begin.finish()
                try? await Task.sleep(for: .seconds(50))
                // The others of the group are done by then.
                for _ in 0..<100 { await Task.yield() }
                return 7
            }
        }
        for await _ in began {}
        caller.cancel()
        guard case .done(7) = try await caller.value else {
            Issue.record("the work was not done")
            return
        }
    }

    private func outcome(_ body: () async throws -> Bool) async -> Result<Bool, any Error> {
        do { return .success(try await body()) } catch { return .failure(error) }
    }

    @Test("nobody takes a lease over while something is written under it")
    func lockedWhileWritten() async throws {
        try await AccountDatabase.with(.postgres) { accounts in
            let database = accounts.database
            let store = SQLLeaseStore(database, time: ManualTime())
            let lease = try #require(await store.acquire("work", by: Sample.id(), for: .seconds(60)).lease)
            let (asked, ask) = AsyncStream<Void>.makeStream()
            let answered = Semaphore()
            async let written = database.write { connection in
                let isHeld = try LeaseRows.isHeld(lease, connection)
                ask.finish()
                answered.wait()
                return isHeld
            }
            for await _ in asked {}
            let isFree = await outcome {
                try await database.write { connection in
                    try connection.row("SELECT 1 FROM leases WHERE name = ?1 FOR NO KEY UPDATE SKIP LOCKED", [lease.name]) {
                        _ throws(StorageError) in true
                    } ?? false
                }
            }
            answered.signal()
            #expect(try await written)
            #expect(try isFree.get() == false)
        }
    }

    @Test("what is written under a lease that is over is not written")
    func fencing() async throws {
        try await AccountDatabase.with(.postgres) { accounts in
            let database = accounts.database
            let store = SQLLeaseStore(database, time: ManualTime())
            let first = try #require(await store.acquire("work", by: Sample.id(), for: .seconds(60)).lease)
            #expect(try await database.write { try LeaseRows.isHeld(first, $0) })
            try await store.release(first)
            #expect(try await database.write { try LeaseRows.isHeld(first, $0) } == false)
            let second = try #require(await store.acquire("work", by: Sample.id(), for: .seconds(60)).lease)
            #expect(try await database.write { try LeaseRows.isHeld(first, $0) } == false)
            #expect(try await database.write { try LeaseRows.isHeld(second, $0) })
        }
    }

    @Test("a database whose clock was set back does not keep a lease of somebody who is gone")
    func clockSetBack() async throws {
        try await AccountDatabase.with(.postgres) { accounts in
            let database = accounts.database
            let store = SQLLeaseStore(database, time: ManualTime())
            let lost = try #require(await store.acquire("work", by: Sample.id(), for: .seconds(60)).lease)
            // As it looks after the clock went back by an hour.
            _ = try await database.write { try $0.execute("UPDATE leases SET expires_at = expires_at + 3600000") }
            #expect(try await store.renew(lost, for: .seconds(60)) == nil)
            let next = try #require(await store.acquire("work", by: Sample.id(), for: .seconds(60)).lease)
            #expect(next.generation > lost.generation)
        }
    }
}
