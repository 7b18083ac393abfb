import GateACME
import GateCore
import GateCrypto
import GateSQL
import GateStores
import GateTesting
import Synchronization
import Testing

@Suite("Certificates in a database that instances share")
struct SharedCertificateStoreTests {
    private static let sealing = SealingKey(Secret([UInt8](repeating: 7, count: 32)), purpose: "certificates")

    private struct Place: Sendable {
        let store: SQLCertificateStore
        let turn: LeasedTurn
    }

    private func place(_ database: any SQLDatabase, sealing: SealingKey = Self.sealing) -> Place {
        let time = SystemTime()
        let turn = LeasedTurn(SQLLeaseStore(database, time: time), holder: Sample.id(), time: time)
        return Place(store: SQLCertificateStore(database, sealing: sealing, turn: turn, entropy: SystemEntropy()), turn: turn)
    }

    /// What `body` throws, although it runs in a turn.
    private func inTurn(_ turn: LeasedTurn, _ body: @escaping @Sendable () async throws -> Void) async throws {
        let failure = Mutex<(any Error)?>(nil)
        let isOurs = await turn.take { do { try await body() } catch { failure.withLock { $0 = error } } }
        #expect(isOurs)
        if let error = failure.withLock({ $0 }) { throw error }
    }

    @Test("the contract is kept", arguments: CertificateStoreContract.cases)
    func contract(_ contract: CertificateStoreContract.Case) async throws {
        try await AccountDatabase.with(.postgres) { accounts in
            let (one, other) = (place(accounts.database), place(accounts.database))
            try await inTurn(one.turn) {
                try await contract.run(CertificateStoreContract.Subject(store: one.store, other: other.store, isShared: true))
            }
        }
    }

    @Test("the contract of challenges is kept", arguments: ChallengeBoardContract.cases)
    func challenges(_ contract: ChallengeBoardContract.Case) async throws {
        try await AccountDatabase.with(.postgres) { accounts in
            try await contract.run(SQLChallengeBoard(accounts.database), SQLChallengeBoard(accounts.database))
        }
    }

    @Test("only the instance with the turn saves, and one at a time has it")
    func fencing() async throws {
        try await AccountDatabase.with(.postgres) { accounts in
            let database = accounts.database
            let (one, other) = (place(database), place(database))
            await #expect {
                try await one.store.save(Secret("x"), as: .history)
            } throws: { ($0 as? StoreFailure)?.isTakenOver == true }
            try await inTurn(one.turn) {
                try await one.store.save(Secret("one"), as: .history)
                #expect(await other.turn.take { Issue.record("two at a time") } == false)
                // As if it had been asleep for longer than it may.
                _ = try await database.write { try $0.execute("UPDATE leases SET expires_at = expires_at - length") }
                try await inTurn(other.turn) { try await other.store.save(Secret("other"), as: .history) }
                await #expect {
                    try await one.store.save(Secret("late"), as: .history)
                } throws: { ($0 as? StoreFailure)?.isTakenOver == true }
            }
            #expect(try await one.store.load(.history) == Secret("other"))
        }
    }

    @Test("what is saved after the newest row was deleted or set aside has another version than that had", arguments: [false, true])
    func deleted(isSetAside: Bool) async throws {
        try await AccountDatabase.with(.postgres) { accounts in
            let one = place(accounts.database)
            try await inTurn(one.turn) {
                try await one.store.save(Secret("x"), as: .certificate("a"))
                try await one.store.save(Secret("x"), as: .history)
                let seen = try await one.store.version()
                if isSetAside {
                    _ = try await one.store.setAside(.history, at: SystemTime().now())
                } else {
                    _ = try await accounts.database.write { try $0.execute("DELETE FROM certificate_records") }
                }
                #expect(try await one.store.version() < seen)
                try await one.store.save(Secret("y"), as: .history)
                #expect(try await one.store.version() > seen)
            }
        }
    }

    @Test("nothing is there in clear; a row is opened in its own place and with its own key only")
    func sealed() async throws {
        try await AccountDatabase.with(.postgres) { accounts in
            let database = accounts.database
            let one = place(database)
            let secret = "-----BEGIN PRIVATE KEY-----"
            try await inTurn(one.turn) { for key in ["a", "b"] { try await one.store.save(Secret(secret), as: .certificate(key)) } }
            let rows = try await database.read { connection in
                try connection.rows("SELECT sealed FROM certificate_records") { row throws(StorageError) in try row.blob(0) }
            }
            #expect(rows.count == 2 && Set(rows).count == 2)
            for row in rows { #expect(!String(decoding: row, as: UTF8.self).contains("PRIVATE")) }
            let stranger = place(database, sealing: SealingKey(Secret([UInt8](repeating: 8, count: 32)), purpose: "certificates"))
            await #expect {
                _ = try await stranger.store.load(.certificate("a"))
            } throws: { ($0 as? StoreFailure)?.problem.contains("cluster key") == true }
            // One row in the place of another, and an older one in the place of the newer.
            _ = try await database.write {
                try $0.execute(
                    """
                    UPDATE certificate_records SET sealed = (SELECT sealed FROM certificate_records WHERE key = 'b') WHERE key = 'a'
                    """)
            }
            await #expect(throws: StoreFailure.self) { _ = try await one.store.load(.certificate("a")) }
            _ = try await database.write { try $0.execute("UPDATE certificate_records SET version = version + 1 WHERE key = 'b'") }
            await #expect(throws: StoreFailure.self) { _ = try await one.store.load(.certificate("b")) }
        }
    }
}
