import GateCore
import GateIdentity
import GateLimits
import GateSQL
import GateSQLite
import GateStores
import Logging

/// What the configuration chose, opened: the one place where backends are told apart.
struct Backends: Sendable {
    let database: SQLiteDatabase
    let limits: MemoryLimitStore

    /// Opens the database. Its schema is not looked at.
    static func open(_ configuration: Configuration, time: any TimeSource, log: Logger) async throws -> Backends {
        let database: SQLiteDatabase =
            switch configuration.database.url {
            case .sqlite: try await SQLiteDatabase.open(path: configuration.databasePath, time: time, logger: log)
            }
        let limits: MemoryLimitStore =
            switch configuration.limits.backend {
            case .memory: MemoryLimitStore(time: time, maximumKeys: configuration.limits.maxKeys)
            }
        return Backends(database: database, limits: limits)
    }

    /// The migrations for the database chosen.
    static func migrations(_ configuration: Configuration) throws -> MigrationPlan {
        switch configuration.database.url {
        case .sqlite: try MigrationPlan(AccountMigrations.sqlite)
        }
    }
}
