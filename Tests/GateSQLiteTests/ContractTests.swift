import GateSQL
import GateSQLite
import GateTesting
import Synchronization
import Testing

@Suite struct ContractTests {
    @Test("SQLite keeps the contract of a database", arguments: SQLDatabaseContract.scenarios)
    func contract(_ scenario: SQLDatabaseContract.Scenario) async throws {
        let folder = TemporaryFolder()
        let database = try await folder.open()
        let opened = Mutex([database])
        try await scenario.run(
            SQLDatabaseContract.Subject(database: database) {
                await database.close()
                let again = try await folder.open()
                opened.withLock { $0.append(again) }
                return again
            })
        for database in opened.withLock({ $0 }) { await database.close() }
    }
}
