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
