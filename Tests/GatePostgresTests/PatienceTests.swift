import GateCore
import GateSQL
import GateTesting
import Synchronization
import Testing

@testable import GatePostgres

@Suite("Who runs out of time of their own does not take the server for hanging")
struct PatienceTests {
    /// The machine's clock, which can be put forward.
    private final class ForwardTime: TimeSource {
        private let ahead = Atomic<UInt64>(0)

        func now() -> Timestamp { SystemTime().now() }
        func monotonic() -> MonotonicInstant {
            SystemTime().monotonic() + .nanoseconds(Int64(clamping: ahead.load(ordering: .acquiring)))
        }
        func advance(by seconds: UInt64) { ahead.wrappingAdd(seconds * 1_000_000_000, ordering: .acquiringAndReleasing) }
    }

    private static func sleep(_ connection: any SQLConnection, _ seconds: Double) throws {
        _ = try connection.row("SELECT pg_sleep(?1)::text", [SQLValue.real(seconds)]) { _ throws(StorageError) in true }
    }

    @Test("after a rest the first statement has as long as any")
    func rested() async throws {
        let server = PostgresServer.shared
        let time = ForwardTime()
        var options = PostgresOptions()
        options.connections = 1
        options.connectTime = .milliseconds(400)
        let name = server.newDatabase()
        let database = try await server.open(server.url(name), options: options, time: time)
        try await database.read { try Self.sleep($0, 0) }
        let before = time.monotonic()
        time.advance(by: 11)
        try await database.read { try Self.sleep($0, 0.8) }
        #expect(database.pool.condition.trusts(before))
        await database.close()
        server.command("drop \(name)")
    }

    @Test("a statement with little time left is given up, and the other connections are kept")
    func late() async throws {
        var options = PostgresOptions()
        options.connections = 1
        options.statementTime = .seconds(1)
        options.transactionTime = .milliseconds(300)
        try await PostgresServer.shared.withDatabase(options: options) { database, _ in
            let before = SystemTime().monotonic()
            await #expect {
                try await database.read { for _ in 0..<2 { try Self.sleep($0, 0.8) } }
            } throws: { error in
                if case StorageError.unavailable = error { true } else { false }
            }
            #expect(SystemTime().monotonic().since(before) < .seconds(4))
            #expect(database.pool.condition.trusts(before))
        }
    }

    @Test("who is in others' way waits for the lane no longer than its time, and does not begin after it")
    func lane() async throws {
        var options = PostgresOptions()
        options.transactionTime = .milliseconds(500)
        try await PostgresServer.shared.withDatabase(options: options) { database, _ in
            try await database.changeSchema {
                try $0.executeScript(
                    """
                    CREATE FUNCTION conflict() RETURNS TEXT LANGUAGE plpgsql AS $$
                    BEGIN RAISE EXCEPTION 'in the way' USING ERRCODE = '40001'; END
                    $$
                    """)
            }
            // Somebody holds it, and does not come back.
            #expect(database.pool.lane.tryWait())
            let before = SystemTime().monotonic()
            await #expect {
                try await database.write { _ = try $0.row("SELECT conflict()") { _ throws(StorageError) in true } }
            } throws: { error in
                if case StorageError.busy = error { true } else { false }
            }
            #expect(SystemTime().monotonic().since(before) < .seconds(4))
            #expect(database.pool.condition.conflicts == 4)
            #expect(database.pool.condition.trusts(before))
            database.pool.lane.signal()
        }
    }
}
