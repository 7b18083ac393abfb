import GateCore
import GatePostgres

/// Whether Postgres can be used, and how: who answers, over what, with which rights and which schema.
struct PostgresCheck {
    let url: PostgresURL
    let outcome: Outcome
    /// Connections that a server will want; zero where one runs and has them.
    let poolSize: Int

    typealias Outcome = Result<Facts, StorageError>

    struct Facts: Hashable {
        var seen: PostgresExamination
        var schema: Schema
    }

    enum Schema: Hashable {
        /// Nothing was ever made in it.
        case empty
        case version(Int, newest: Int)
        case unfit(String)
    }

    /// Each request that asks the database waits at least as long, most of them several times.
    static let longLatency = Duration.milliseconds(10)

    func findings() -> [Finding] {
        switch outcome {
        case .failure(let error): [say(.problem, "\(url) cannot be used: \(Self.words(error)).", advice(error))]
        case .success(let facts):
            [reach(facts.seen), transport(facts.seen), pooler(facts.seen), schema(facts), rights(facts.seen), room(facts.seen)]
                .compactMap { $0 } + durability(facts.seen)
        }
    }

    private static func words(_ error: StorageError) -> String {
        if case .unavailable(let reason) = error { return reason }
        return error.description
    }

    private func advice(_ error: StorageError) -> String {
        switch error {
        case .schema: "Use a database of Postgres 13 or later with the encoding UTF8, as DEPLOYMENT.md makes it."
        case .readOnly: "Name the primary in database.url, or all hosts with commas between, so that the primary is found."
        default:
            "Check database.url: that Postgres runs and listens there, that pg_hba.conf lets this machine, user and database in, the "
                + "password, and for TLS sslmode and sslrootcert."
        }
    }

    private func reach(_ seen: PostgresExamination) -> Finding {
        let words =
            "Postgres \(seen.version) at \(seen.host) answers \(seen.user) in \(Self.milliseconds(seen.latency)), over libpq \(seen.libraryVersion)."
        guard seen.latency > Self.longLatency else { return say(.ok, words) }
        return say(.warning, words, "Each request that asks the database waits for some of these: run it nearer to this server.")
    }

    private func transport(_ seen: PostgresExamination) -> Finding {
        let isHere = seen.host.hasPrefix("/") || seen.host.hasPrefix("127.") || ["::1", "localhost"].contains(seen.host)
        switch (seen.isEncrypted, url.sslMode) {
        case (true, "verify-full"): return say(.ok, "The connection is encrypted, and \(seen.host) has proved its name.")
        case (_, _) where isHere: return say(.ok, "The connection does not leave this machine.")
        case (true, "verify-ca"):
            return say(
                .warning, "The connection is encrypted, and whoever has a certificate of the authority may answer for \(seen.host).",
                "Write sslmode=verify-full into database.url.")
        case (true, _):
            return say(
                .warning, "The connection is encrypted, and nobody checks who answers for \(seen.host).",
                "Write sslmode=verify-full and sslrootcert=FILE into database.url.")
        case (false, _):
            return say(
                .warning, "Everything goes to \(seen.host) in the clear.",
                "Turn ssl on in postgresql.conf, and write sslmode=verify-full and sslrootcert=FILE into database.url.")
        }
    }

    private func pooler(_ seen: PostgresExamination) -> Finding? {
        guard seen.isBehindPooler else { return nil }
        return say(
            .ok,
            "A pooler is in front of it. If it hands connections on after each transaction, instances ask for each other's changes "
                + "five times a second; write prepare=off into database.url then.")
    }

    private func schema(_ facts: Facts) -> Finding {
        switch facts.schema {
        case .empty: say(.ok, "The database is empty: the schema is made at the first start.")
        case .version(let version, let newest) where version < newest:
            say(.ok, "The schema has version \(version): the next start brings it to \(newest).")
        case .version(let version, _): say(.ok, "The schema has version \(version), the newest that this program knows.")
        case .unfit(let reason):
            say(.problem, "The schema does not fit: \(reason).", "Use the version of gatehouse that made it, or a newer one.")
        }
    }

    private func rights(_ seen: PostgresExamination) -> Finding {
        if let table = seen.forbiddenTables.first {
            return say(
                .problem, "\(seen.user) may not read and write \(table)\(Self.others(seen.forbiddenTables)).",
                "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO \(seen.user); or make that role the owner.")
        }
        if let table = seen.foreignTables.first {
            return say(
                .warning, "\(table)\(Self.others(seen.foreignTables)) belongs to another role than \(seen.user): the next migration fails.",
                "ALTER TABLE … OWNER TO \(seen.user), for each.")
        }
        switch seen.mayCreate {
        case true?: return say(.ok, "\(seen.user) may read, write and migrate.")
        case false?:
            return say(
                .problem, "\(seen.user) may not create tables in the schema, so it cannot be migrated.",
                "GRANT CREATE ON SCHEMA public TO \(seen.user), or make that role the database's owner.")
        case nil:
            return say(.problem, "No schema of \(seen.user)'s search_path exists.", "CREATE SCHEMA public, or correct search_path.")
        }
    }

    private func room(_ seen: PostgresExamination) -> Finding? {
        let wanted = max(2, poolSize + 1)
        guard seen.freeConnections < wanted else { return nil }
        return say(
            .warning, "Postgres has \(max(0, seen.freeConnections)) connections left, and \(wanted) may be wanted.",
            "Raise max_connections in postgresql.conf, or lower database.pool_size.")
    }

    private func durability(_ seen: PostgresExamination) -> [Finding] {
        guard !seen.syncsFiles else { return [] }
        return [
            say(
                .problem, "Postgres runs with fsync=off: a power cut takes back what was answered, or damages the database.",
                "Set fsync = on in postgresql.conf.")
        ]
    }

    private static func others(_ names: [String]) -> String { names.count > 1 ? " and \(names.count - 1) more tables" : "" }

    private static func milliseconds(_ time: Duration) -> String {
        "\(time.wholeNanoseconds / 1_000_000).\(time.wholeNanoseconds / 10_000 % 100 / 10) ms"
    }

    private func say(_ status: Finding.Status, _ seen: String, _ advice: String? = nil) -> Finding {
        Finding("database", Finding.thisMachine, status, seen, advice: advice)
    }
}
