import GateCore
import GateIdentity
import GateLimits
import GatePostgres
import GateRedis
import GateSQL
import GateSQLite
import GateStores
import Logging

/// What the configuration chose, opened: the one place where backends are told apart.
struct Backends: Sendable {
    let database: any ServedDatabase
    /// Counts in this process: all, or what Redis does not.
    let memoryLimits: MemoryLimitStore
    let redis: RedisBackend?
    /// What this instance may do for all that share the database.
    let leases: InstanceLeases

    var limits: any LimitStore { redis?.limits ?? memoryLimits }

    /// Where instances that share the database keep their secrets; `nil` where one process has the data to itself.
    var sharedSecrets: SQLSharedSecretStore? { database is PostgresDatabase ? SQLSharedSecretStore(database) : nil }

    /// How other instances learn of what this one changes.
    var changes: any ChangeFeed {
        guard let database = database as? PostgresDatabase else { return SoleInstance() }
        let own = PostgresChangeFeed(database: database)
        // Behind a pooler the database is asked four times a second; Redis tells at once.
        return redis.map { HastenedChangeFeed(own, hastenedBy: RedisChangeFeed($0.client)) } ?? own
    }

    /// Opens the database. Its schema is not looked at. Redis is not connected to before ``RedisBackend/start()``.
    static func open(
        _ configuration: Configuration, time: any TimeSource, entropy: any Entropy = SystemEntropy(), log: Logger
    ) async throws -> Backends {
        let database = try await openDatabase(configuration, time: time, entropy: entropy, log: log)
        let memory = MemoryLimitStore(time: time, maximumKeys: configuration.limits.maxKeys)
        var redis: RedisBackend?
        if configuration.limits.backend == .redis, let url = configuration.limits.redisURL {
            redis = try RedisBackend(url, configuration, memory: memory, time: time, entropy: entropy, log: log)
        }
        let leases: any LeaseStore = database is PostgresDatabase ? SQLLeaseStore(database, time: time) : MemoryLeaseStore(time: time)
        return Backends(
            database: database, memoryLimits: memory, redis: redis,
            leases: InstanceLeases(store: leases, instance: Instance.ID(at: time.now(), entropy: entropy)))
    }

    private static func openDatabase(
        _ configuration: Configuration, time: any TimeSource, entropy: any Entropy, log: Logger
    ) async throws -> any ServedDatabase {
        switch configuration.database.url {
        case .sqlite(let path):
            return try await SQLiteDatabase.open(path: configuration.filePath(path), time: time, logger: log)
        case .postgres(let url):
            var options = PostgresOptions()
            options.connections = configuration.database.poolSize
            return try await PostgresDatabase.open(url, options: options, time: time, entropy: entropy, logger: log)
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
