import GatePostgres
import GateSQL
import GateTesting
import Synchronization
import Testing

@Suite struct ContractTests {
    @Test("Postgres keeps the contract of a database", arguments: SQLDatabaseContract.scenarios)
    func contract(_ scenario: SQLDatabaseContract.Scenario) async throws {
        let server = PostgresServer.shared
        try await server.withDatabase { database, name in
            let opened = Mutex<[PostgresDatabase]>([])
            try await scenario.run(
                SQLDatabaseContract.Subject(database: database) {
                    await database.close()
                    let again = try await server.open(server.url(name))
                    opened.withLock { $0.append(again) }
                    return again
                })
            for database in opened.withLock({ $0 }) { await database.close() }
        }
    }
}
