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
        try await withThrowingTaskGroup(of: Void.self) { group in
            for scenario in SQLDatabaseContract.scenarios {
                group.addTask {
                    let name = server.newDatabase()
                    let url = server.url(name, bouncer: Self.port, settings: settings)
                    var options = PostgresOptions()
                    options.connections = 4
                    let opened = Mutex([try await server.open(url, options: options)])
                    let first = opened.withLock { $0[0] }
                    try await scenario.run(
                        SQLDatabaseContract.Subject(database: first) { [options] in
                            await first.close()
                            let again = try await server.open(url, options: options)
                            opened.withLock { $0.append(again) }
                            return again
                        })
                    // To drop it here would wait for the pooler's connections to be ended.
                    for database in opened.withLock({ $0 }) { await database.close() }
                }
            }
            try await group.waitForAll()
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

    @Test(
        "CHECKLIST 4: where nobody can listen the table is asked, and each answer vouches for what had been committed when it was asked for"
    )
    func asking() async throws {
        let server = PostgresServer.shared
        let name = server.newDatabase()
        let database = try await server.open(server.url(name, bouncer: Self.port))
        try await database.changeSchema {
            try $0.executeScript("CREATE TABLE news (xact XID8 NOT NULL DEFAULT pg_current_xact_id(), words TEXT NOT NULL)")
        }
        let heard = Mutex<[NotificationEvent]>([])
        let asking = Task {
            await database.listen(
                "news",
                orAsk: """
                    SELECT pg_postmaster_start_time()::text, (EXTRACT(EPOCH FROM now()) * 1000)::bigint,
                        pg_snapshot_xmin(pg_current_snapshot())::text, n.xact::text, n.words
                    FROM (SELECT 1) AS always LEFT JOIN news n ON n.xact >= ?1::text::xid8 ORDER BY n.xact LIMIT 5001
                    """
            ) { event in heard.withLock { $0.append(event) } }
        }
        try await eventually { heard.withLock { $0.contains { if case .began = $0 { true } else { false } } } }
        // Some commit long after others that began later: nothing is missed, in whatever order they come.
        await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                group.addTask {
                    try await database.write { connection in
                        try connection.execute("INSERT INTO news (words) VALUES (?1)", ["\(number)"])
                        _ = try connection.row("SELECT pg_sleep(?1)::text", [SQLValue.real(Double(number % 7) * 0.01)]) {
                            _ throws(StorageError) in true
                        }
                    }
                }
            }
        }
        let committed = SystemTime().monotonic()
        try await eventually {
            heard.withLock { $0.contains { if case .current(let moment) = $0 { moment >= committed } else { false } } }
        }
        let told = Set(heard.withLock { $0.compactMap { if case .notification(let words) = $0 { words } else { nil } } })
        #expect(told == Set((0..<200).map { "\($0)" }))
        asking.cancel()
        await asking.value
        #expect(heard.withLock { $0.last } == .lost)
        await database.close()
        server.command("drop \(name)")
    }
}
