import GateCore
import GatePostgres
import GateSQL
import GateTesting
import Synchronization
import Testing

/// From the oldest that is supported to the newest that is to be had; all other tests run on this Debian's.
@Suite("Other versions of Postgres", .serialized)
struct VersionTests {
    @Test("keep the contracts of a database and of the stores")
    func contracts() async throws {
        try await withThrowingTaskGroup(of: Void.self) { versions in
            for version in ["13", "18"] {
                versions.addTask {
                    let server = PostgresServer(version: version)
                    #expect(server.command("sql postgres SHOW server_version").hasPrefix(version + "."))
                    try await PostgresServer.$other.withValue(server) { try await Self.contracts(on: server) }
                }
            }
            try await versions.waitForAll()
        }
    }

    private static func contracts(on server: PostgresServer) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for scenario in SQLDatabaseContract.scenarios { group.addTask { try await run(scenario, on: server) } }
            for contract in RevocationStoreContract.cases {
                group.addTask { try await AccountDatabase.with(.postgres) { try await contract.run($0.stores) } }
            }
            try await group.waitForAll()
        }
    }

    private static func run(_ scenario: SQLDatabaseContract.Scenario, on server: PostgresServer) async throws {
        // Each has few connections: all of them run at once.
        var options = PostgresOptions()
        options.connections = 2
        // The server is thrown away with its databases.
        let name = server.newDatabase()
        let database = try await server.open(server.url(name), options: options)
        let opened = Mutex([database])
        try await scenario.run(
            SQLDatabaseContract.Subject(database: database) { [options] in
                await database.close()
                let again = try await server.open(server.url(name), options: options)
                opened.withLock { $0.append(again) }
                return again
            })
        for database in opened.withLock({ $0 }) { await database.close() }
    }

    @Test("the one that hands changes on is asked where nobody can listen, in the oldest version too")
    func oldestVersionTellsOfChanges() async throws {
        let server = PostgresServer(version: "13")
        let database = try await server.open(server.url(server.newDatabase()))
        let events = Mutex<[NotificationEvent]>([])
        let listening = Task { await database.listen("news") { event in events.withLock { $0.append(event) } } }
        try await eventually { events.withLock { $0.count(where: { if case .current = $0 { true } else { false } }) > 1 } }
        try await database.write { _ = try $0.row("SELECT pg_notify('news', 'x')") { _ throws(StorageError) in true } }
        try await eventually { events.withLock { $0.contains(.notification("x")) } }
        listening.cancel()
        await listening.value
        await database.close()
    }
}
