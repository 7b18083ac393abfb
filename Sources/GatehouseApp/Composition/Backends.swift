import GateCore
import GateIdentity
import GateLimits
import GatePostgres
import GateSQL
import GateSQLite
import GateStores
import Logging

/// What the configuration chose, opened: the one place where backends are told apart.
struct Backends: Sendable {
    let database: any ServedDatabase
    let limits: MemoryLimitStore

    /// Opens the database. Its schema is not looked at.
    static func open(_ configuration: Configuration, time: any TimeSource, log: Logger) async throws -> Backends {
        let database = try await openDatabase(configuration, time: time, log: log)
        let limits: MemoryLimitStore =
            switch configuration.limits.backend {
            case .memory: MemoryLimitStore(time: time, maximumKeys: configuration.limits.maxKeys)
            }
        return Backends(database: database, limits: limits)
    }

    private static func openDatabase(
        _ configuration: Configuration, time: any TimeSource, log: Logger
    ) async throws -> any ServedDatabase {
        switch configuration.database.url {
        case .sqlite(let path):
            return try await SQLiteDatabase.open(path: configuration.filePath(path), time: time, logger: log)
        case .postgres(let url):
            var options = PostgresOptions()
            options.connections = configuration.database.poolSize
            return try await PostgresDatabase.open(url, options: options, time: time, entropy: SystemEntropy(), logger: log)
        }
    }

    /// The migrations for the database chosen.
    static func migrations(_ configuration: Configuration) throws -> MigrationPlan {
        switch configuration.database.url {
        case .sqlite: try MigrationPlan(AccountMigrations.sqlite)
        case .postgres: try MigrationPlan(AccountMigrations.postgres)
        }
    }
}
