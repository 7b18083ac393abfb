import GateCore
import GatePostgres
import GateSQL
import GateTesting
import Synchronization
import Testing

@Suite("Behind PgBouncer, which hands connections on after each transaction")
struct PoolerTests {
    private static let port = PostgresServer.shared.startBouncer()

    @Test(
        "the contract of a database is kept, whether it was said that a pooler is there or is noticed",
        arguments: ["?prepare=off", ""])
    func contract(_ settings: String) async throws {
        let server = PostgresServer.shared
        for scenario in SQLDatabaseContract.scenarios {
            let name = server.newDatabase()
            let url = server.url(name, bouncer: Self.port, settings: settings)
            let opened = Mutex([try await server.open(url)])
            let first = opened.withLock { $0[0] }
            try await scenario.run(
                SQLDatabaseContract.Subject(database: first) {
                    await first.close()
                    let again = try await server.open(url)
                    opened.withLock { $0.append(again) }
                    return again
                })
            for database in opened.withLock({ $0 }) { await database.close() }
            server.command("drop \(name)")
        }
    }

    @Test("nobody can listen, which is noticed: it never begins")
    func listening() async throws {
        let server = PostgresServer.shared
        let log = LogRecorder()
        let database = try await server.open(server.url(server.newDatabase(), bouncer: Self.port), log: log.logger)
        let events = Mutex<[NotificationEvent]>([])
        let listening = Task { await database.listen("news") { event in events.withLock { $0.append(event) } } }
        try await eventually { log.lines.contains { $0.contains("Nobody can listen here") } }
        listening.cancel()
        await listening.value
        #expect(events.withLock { $0 } == [])
        await database.close()
    }
}
