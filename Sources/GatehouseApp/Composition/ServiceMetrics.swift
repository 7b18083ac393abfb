import GateCore
import GateCrypto
import GateIdentity
import GateLimits
import GateNet
import GatePostgres
import GateRedis
import GateSQL

/// What the parts of the server tell of themselves, read when somebody scrapes.
extension MetricsRegistry {
    func register(identity: Identity, backends: Backends) {
        registerProcess()
        let passwords = identity.passwords
        gauge("gatehouse_password_hashes_waiting", "Passwords that wait to be hashed.") { Double(passwords.queued) }
        let revocations = identity.revocations
        gauge("gatehouse_revocations", "Revocations remembered.") { Double(revocations.count) }
        let tokens = identity.accessTokens
        gauge("gatehouse_verified_tokens", "Access tokens remembered as verified.") { Double(tokens.rememberedTokens) }
        let limits = backends.memoryLimits
        gauge("gatehouse_limit_keys", "Pairs of policy and subject that are counted.") { Double(limits.occupancy.keys) }
        gauge("gatehouse_limit_bytes", "Memory of what is counted, in bytes.") { Double(limits.occupancy.bytes) }
        counter("gatehouse_limit_evictions_total", "Pairs forgotten because there were too many.") { Double(limits.occupancy.evictions) }
        if let redis = backends.redis { register(redis) }
        let database = backends.database
        gauge("gatehouse_database_up", "Whether the last write to the database, if any, was possible.") { database.canWrite ? 1 : 0 }
        guard let postgres = database as? PostgresDatabase else { return }
        gauge("gatehouse_database_connections", "Connections to Postgres that are up.") { Double(postgres.occupancy.connections) }
        gauge("gatehouse_database_waiting", "Transactions that wait for a connection.") { Double(postgres.occupancy.waiting) }
        counter("gatehouse_database_conflicts_total", "Transactions tried again since another was in the way.") {
            Double(postgres.occupancy.conflicts)
        }
    }

    private func register(_ redis: RedisBackend) {
        let limits = redis.limits
        gauge("gatehouse_redis_up", "Whether limits are counted in Redis: 0 while this process stands in.") { limits.isRedisUsed ? 1 : 0 }
        gauge("gatehouse_redis_latency_seconds", "How long Redis took to count, the last time that it was asked to see.") {
            Double(limits.lastLatency.wholeNanoseconds) / 1e9
        }
        counter("gatehouse_limit_stand_in_decisions_total", "Decisions about limits made in this process in Redis's place.") {
            Double(limits.decisionsStoodIn)
        }
        let client = redis.client
        gauge("gatehouse_redis_connections", "Open connections to Redis.") { Double(client.openConnections) }
        counter("gatehouse_redis_connections_total", "Connections made to Redis, by outcome.", labels: ["outcome": "open"]) {
            Double(client.statistics.counts.connections)
        }
        counter("gatehouse_redis_connections_total", "Connections made to Redis, by outcome.", labels: ["outcome": "failed"]) {
            Double(client.statistics.counts.failedConnections)
        }
    }

    /// - Parameter scheme: of the server's URLs.
    func register(connectionsOf server: HTTPServer, scheme: String) {
        func gauge(_ version: String, _ count: @escaping @Sendable () -> Int) {
            self.gauge(
                "gatehouse_http_connections", "Open connections, by scheme and version of HTTP.",
                labels: ["scheme": scheme, "version": version]
            ) { Double(count()) }
        }
        gauge("1.1") { max(0, server.openConnections - server.openHTTP2Connections) }
        if scheme == "https" { gauge("2") { server.openHTTP2Connections } }
    }
}
