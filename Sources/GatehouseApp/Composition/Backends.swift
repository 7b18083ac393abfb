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
    /// Counts in this process: all, or what Redis does not.
    let memoryLimits: MemoryLimitStore
    let redis: RedisBackend?

    var limits: any LimitStore { redis?.limits ?? memoryLimits }

    /// Opens the database. Its schema is not looked at. Redis is not connected to before ``RedisBackend/start()``.
    static func open(
        _ configuration: Configuration, time: any TimeSource, entropy: any Entropy = SystemEntropy(), log: Logger
    ) async throws -> Backends {
        let database: SQLiteDatabase =
            switch configuration.database.url {
            case .sqlite: try await SQLiteDatabase.open(path: configuration.databasePath, time: time, logger: log)
            }
        let memory = MemoryLimitStore(time: time, maximumKeys: configuration.limits.maxKeys)
        var redis: RedisBackend?
        if configuration.limits.backend == .redis, let url = configuration.limits.redisURL {
            redis = try RedisBackend(url, configuration, memory: memory, time: time, entropy: entropy, log: log)
        }
        return Backends(database: database, memoryLimits: memory, redis: redis)
    }

    /// The migrations for the database chosen.
    static func migrations(_ configuration: Configuration) throws -> MigrationPlan {
        switch configuration.database.url {
        case .sqlite: try MigrationPlan(AccountMigrations.sqlite)
        }
    }
}
