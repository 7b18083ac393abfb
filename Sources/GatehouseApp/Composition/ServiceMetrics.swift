import GateCrypto
import GateIdentity
import GateLimits
import GateNet
import GatePostgres
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
        let limits = backends.limits
        gauge("gatehouse_limit_keys", "Pairs of policy and subject that are counted.") { Double(limits.occupancy.keys) }
        gauge("gatehouse_limit_bytes", "Memory of what is counted, in bytes.") { Double(limits.occupancy.bytes) }
        counter("gatehouse_limit_evictions_total", "Pairs forgotten because there were too many.") { Double(limits.occupancy.evictions) }
        let database = backends.database
        gauge("gatehouse_database_up", "Whether the last write to the database, if any, was possible.") { database.canWrite ? 1 : 0 }
        guard let postgres = database as? PostgresDatabase else { return }
        gauge("gatehouse_database_connections", "Connections to Postgres that are up.") { Double(postgres.occupancy.connections) }
        gauge("gatehouse_database_waiting", "Transactions that wait for a connection.") { Double(postgres.occupancy.waiting) }
        counter("gatehouse_database_conflicts_total", "Transactions tried again since another was in the way.") {
            Double(postgres.occupancy.conflicts)
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
