import GateCore
import GateSQL
import GateSQLite
import GateTesting
import Logging
import Testing

@Suite struct ContractTests {
    @Test func keepsWhatItAnswered() async throws {
        let database = try await SQLiteDatabase.open(
            path: "/tmp/gate-smoke-\(SystemEntropy().uint64())/a/gatehouse.db", time: SystemTime(), logger: Logger(label: "test"))
        try await SQLDatabaseContract.keepsWhatItAnswered(database)
        #expect(await database.health() != .failing(.closed))
        await database.close()
        await #expect(throws: StorageError.closed) { try await database.read { _ in } }
    }
}
