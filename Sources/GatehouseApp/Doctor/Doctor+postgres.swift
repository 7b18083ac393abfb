import GateCore
import GatePostgres
import GateSQL

extension Doctor {
    /// `nil` where Postgres is not used. A running server is no hindrance: a look takes two connections for a moment.
    func examinePostgres(_ server: ServerState) async -> PostgresCheck? {
        guard case .postgres(let url) = configuration.database.url else { return nil }
        let late = PostgresCheck.Outcome.failure(.unavailable(reason: "no answer within \(settings.timeLimit.text)"))
        let outcome = await limited(to: settings.timeLimit, late: late) { await look(at: url) }
        var isRunning = false
        if case .running = server { isRunning = true }
        return PostgresCheck(url: url, outcome: outcome, poolSize: isRunning ? 0 : configuration.database.poolSize)
    }

    private func look(at url: PostgresURL) async -> PostgresCheck.Outcome {
        do throws(StorageError) {
            let seen = try await PostgresExamination.of(url, time: time)
            return .success(PostgresCheck.Facts(seen: seen, schema: try await schema(url)))
        } catch {
            return .failure(error)
        }
    }

    private func schema(_ url: PostgresURL) async throws(StorageError) -> PostgresCheck.Schema {
        var options = PostgresOptions()
        options.connections = 1
        let database = try await PostgresDatabase.open(url, options: options, time: time, entropy: entropy, logger: log)
        let schema: Result<PostgresCheck.Schema, any Error>
        do {
            let plan = try Backends.migrations(configuration)
            let newest = plan.migrations.last?.version ?? 0
            schema = .success(
                try await database.read { connection in
                    guard
                        try !connection.rows(
                            "SELECT 1 FROM pg_tables WHERE tablename = 'schema_migrations' AND schemaname = current_schema()",
                            read: { _ throws(StorageError) in }
                        ).isEmpty
                    else { return .empty }
                    return .version(try plan.check(connection), newest: newest)
                })
        } catch {
            schema = .failure(error)
        }
        await database.close()
        switch schema {
        case .success(let schema): return schema
        case .failure(.schema(let reason) as StorageError): return .unfit(reason)
        case .failure(let error as StorageError): throw error
        case .failure(let error): throw .unavailable(reason: "\(error)")
        }
    }
}
