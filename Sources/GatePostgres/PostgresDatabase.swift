package import GateCore
package import GateSQL
package import Logging

/// A Postgres database behind a bounded pool of connections. See ``SQLDatabase`` for the contract.
///
/// Writes are `SERIALIZABLE`, so that what the stores may take for granted on SQLite, where one write follows the other, holds with many
/// writers and several servers; those that were in each other's way are tried again. Reads see one state (`REPEATABLE READ`).
/// Each connection has a thread, since the bodies of transactions are synchronous functions; the thread waits for the server in poll(2) with
/// a limit for everything. Cancelling a task that waits here changes nothing: it gets its answer.
///
/// A write that was answered with an error left nothing; only where the connection was lost in the commit itself may it be found done.
package final class PostgresDatabase: Sendable {
    let pool: PostgresPool
    private let threads: [DatabaseThread]

    /// The oldest server that is supported, as `PQserverVersion` counts.
    private static let oldestVersion = 130_000

    /// Opens the library and a first connection, and looks whether the server fits.
    ///
    /// - Throws: `.unavailable` where the library is missing or the server cannot be reached or refuses; `.schema` for a server that is too
    ///   old or stores no Unicode.
    package static func open(
        _ url: PostgresURL, options: PostgresOptions = PostgresOptions(), time: any TimeSource, entropy: any Entropy, logger: Logger
    ) async throws(StorageError) -> PostgresDatabase {
        let library = try LibPQ.open()
        let opened: Result<PostgresDatabase, StorageError> = await withCheckedContinuation { continuation in
            // On a thread of its own: looking up a host's name waits as long as the resolver wants to.
            _ = DatabaseThread(name: "postgres-open") {
                continuation.resume(
                    returning: Result { () throws(StorageError) in
                        let name = "gatehouse-" + String(entropy.uint64() >> 32, radix: 16)
                        var host = 0
                        let connection = try PostgresConnection.open(
                            url, library, name: name, from: &host, within: options.connectTime, time: time)
                        let facts = try ServerFacts(connection, until: time.monotonic() + options.statementTime)
                        try facts.check(connection, logger)
                        let pool = PostgresPool(
                            url, library, name: name, options: options, setsDurability: facts.losesCommits, time: time, entropy: entropy,
                            log: logger)
                        pool.condition.host = host
                        do throws(PostgresFailure) {
                            try pool.constraints.learn(from: connection, until: time.monotonic() + options.statementTime)
                        } catch {
                            throw error.error
                        }
                        return PostgresDatabase(pool)
                    })
            }
        }
        return try opened.get()
    }

    private init(_ pool: PostgresPool) {
        self.pool = pool
        threads = (0..<max(1, pool.options.connections)).map { number in
            DatabaseThread(name: "postgres-\(number)") {
                var worker = PostgresWorker(pool)
                worker.run()
            }
        }
    }

    deinit { pool.queue.close() }

    private func submit<Result: Sendable>(
        _ kind: PostgresTransaction.Kind, _ body: @escaping @Sendable (PostgresTransaction) throws -> Result
    ) async throws -> Result {
        try await withUnsafeThrowingContinuation { continuation in
            let request = BodyRequest(kind, since: pool.time.monotonic(), continuation: continuation, body: body)
            switch pool.queue.put(request) {
            case .accepted: break
            case .full: request.fail(StorageError.busy(reason: "Postgres: too many transactions wait"))
            case .closed: request.fail(StorageError.closed)
            }
        }
    }

    /// What the server is, learnt when it is opened.
    private struct ServerFacts {
        /// Whether its settings would answer commits that a power cut takes back.
        var losesCommits: Bool
        var encoding: String
        var syncsFiles: Bool

        init(_ connection: PostgresConnection, until end: MonotonicInstant) throws(StorageError) {
            do throws(PostgresFailure) {
                let result = try connection.run(
                    """
                    SELECT current_setting('synchronous_commit'), current_setting('server_encoding'), current_setting('fsync')
                    """, [], named: false, until: end)
                let row = PostgresRow(result: result, row: 0)
                losesCommits = ["off", "local"].contains(try Self.text(row, 0))
                encoding = try Self.text(row, 1)
                syncsFiles = try Self.text(row, 2) == "on"
            } catch {
                throw error.error
            }
        }

        private static func text(_ row: PostgresRow, _ column: Int) throws(PostgresFailure) -> String {
            do throws(StorageError) { return try row.text(column) } catch { throw PostgresFailure(error) }
        }

        func check(_ connection: PostgresConnection, _ log: Logger) throws(StorageError) {
            let version = connection.serverVersion
            guard version >= PostgresDatabase.oldestVersion else {
                throw .schema(reason: "Postgres \(version / 10_000) is too old: version 13 or later is needed")
            }
            guard encoding == "UTF8" else {
                throw .schema(reason: "the database's encoding is \(encoding): make one with ENCODING 'UTF8'")
            }
            if !syncsFiles {
                log.warning("Postgres runs with fsync=off: a power cut takes back what was answered, or damages the database")
            }
        }
    }
}

extension PostgresDatabase: ServedDatabase {
    package func read<Result: Sendable>(_ body: @escaping @Sendable (any SQLConnection) throws -> Result) async throws -> Result {
        try await submit(.read) { try body($0) }
    }

    package func write<Result: Sendable>(_ body: @escaping @Sendable (any SQLConnection) throws -> Result) async throws -> Result {
        try await submit(.write) { try body($0) }
    }

    /// Others that change the schema wait for an advisory lock.
    package func changeSchema<Result: Sendable>(
        _ body: @escaping @Sendable (any SQLSchemaConnection) throws -> Result
    ) async throws -> Result {
        try await submit(.schema) { try body($0) }
    }

    package func close() async {
        pool.queue.close()
        for thread in threads { await thread.join() }
    }

    package var canWrite: Bool { pool.writer.failure == nil }

    package func health() async -> DatabaseHealth {
        let start = pool.time.monotonic()
        do {
            _ = try await read { try $0.row("SELECT 1") { (row) throws(StorageError) in try row.integer(0) } }
            let latency = pool.time.monotonic().since(start)
            if pool.writer.claimProbe(at: start, interval: .seconds(1)) {
                // To be given a number, a transaction is written to the log.
                _ = try await write { try $0.row("SELECT pg_current_xact_id()::text") { (row) throws(StorageError) in try row.text(0) } }
            }
            return pool.writer.failure.map { .failing($0) } ?? .ok(latency: latency)
        } catch let error as StorageError {
            return .failing(error)
        } catch {
            return .failing(.unavailable(reason: "\(error)"))
        }
    }

    /// Who else is connected to the database, by the name that each gave itself and its address: another instance, or a person.
    package func otherProcesses() async throws -> [String] {
        let name = pool.name
        return try await read { connection in
            try connection.rows(
                """
                SELECT DISTINCT COALESCE(NULLIF(application_name, ''), 'a client') || COALESCE(' at ' || host(client_addr), '')
                FROM pg_catalog.pg_stat_activity
                WHERE datname = current_database() AND backend_type = 'client backend' AND application_name IS DISTINCT FROM ?1
                ORDER BY 1
                """, [name]
            ) { row throws(StorageError) in try row.text(0) }
        }
    }

    /// Transactions that wait for a connection, connections that are up, and transactions that were tried again: for the metrics.
    package var occupancy: (waiting: Int, connections: Int, conflicts: Int) {
        (pool.queue.waiting, pool.condition.connections, pool.condition.conflicts)
    }
}
