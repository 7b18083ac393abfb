import GateCore
import GatePostgres
import GateTesting
import Testing

@testable import GatehouseApp

@Suite("Doctor: Postgres")
struct PostgresCheckTests {
    struct Look: Sendable {
        var address = "postgres://gate:hidden@db.example/gate?sslmode=verify-full"
        var schema = PostgresCheck.Schema.version(4, newest: 4)
        var error: StorageError?
        var poolSize = 10
        var change: @Sendable (inout PostgresExamination) -> Void = { _ in }
    }

    private static let sound = [
        Verdict(.ok, "Postgres 15.8 at db.example answers gate in 0.4 ms, over libpq 15.8."), Verdict(.ok, "proved its name"),
        Verdict(.ok, "version 4, the newest"), Verdict(.ok, "read, write and migrate"),
    ]

    /// A sound one in which this much is another, and the verdicts with those of another in their places.
    private static func look(_ name: String, _ look: Look, _ others: [Int: Verdict] = [:], also: [Verdict] = []) -> Situation<Look> {
        var verdicts = sound
        for (place, verdict) in others { verdicts[place] = verdict }
        return Situation(name, look, verdicts + also)
    }

    static let situations: [Situation<Look>] = [
        look("all is well", Look()),
        look(
            "far away", Look { $0.latency = .milliseconds(25) }, [0: Verdict(.warning, "in 25.0 ms", "nearer")]),
        look(
            "in the clear", Look(address: "postgres://gate:hidden@db.example/gate") { $0.isEncrypted = false },
            [1: Verdict(.warning, "in the clear", "sslmode=verify-full")]),
        look(
            "encrypted with anybody", Look(address: "postgres://gate:hidden@db.example/gate?sslmode=require"),
            [1: Verdict(.warning, "nobody checks who answers", "sslmode=verify-full")]),
        look(
            "any certificate of the authority", Look(address: "postgres://gate:hidden@db.example/gate?sslmode=verify-ca"),
            [1: Verdict(.warning, "may answer for db.example", "verify-full")]),
        look("never migrated", Look(schema: .empty), [2: Verdict(.ok, "is empty")]),
        look("older", Look(schema: .version(1, newest: 4)), [2: Verdict(.ok, "has version 1: the next start brings it to 4")]),
        look(
            "newer", Look(schema: .unfit("the database has version 9")), [2: Verdict(.problem, "version 9", "a newer one")]),
        look(
            "may not read", Look { $0.forbiddenTables = ["sessions", "users"] },
            [3: Verdict(.problem, "may not read and write sessions and 1 more", "GRANT SELECT")]),
        look(
            "owned by another", Look { $0.foreignTables = ["users"] },
            [3: Verdict(.warning, "users belongs to another role", "OWNER TO gate")]),
        look("may not create", Look { $0.mayCreate = false }, [3: Verdict(.problem, "may not create tables", "GRANT CREATE")]),
        look("no schema", Look { $0.mayCreate = nil }, [3: Verdict(.problem, "search_path", "CREATE SCHEMA")]),
        look(
            "few connections", Look { $0.freeConnections = 7 }, also: [Verdict(.warning, "7 connections left, and 11", "max_connections")]),
        look("few connections, and a server has its own", Look(poolSize: 0) { $0.freeConnections = 7 }),
        look("fsync=off", Look { $0.syncsFiles = false }, also: [Verdict(.problem, "fsync=off", "fsync = on")]),
        Situation(
            "refused", Look(error: .unavailable(reason: "Postgres: password authentication failed")),
            Verdict(
                .problem, "postgres://gate:<redacted>@db.example/gate?sslmode=verify-full cannot be used: Postgres: password", "pg_hba.conf"
            )),
        Situation("too old", Look(error: .schema(reason: "Postgres 12 is too old")), Verdict(.problem, "12 is too old", "13 or later")),
        Situation("a standby", Look(error: .readOnly(reason: "recovery")), Verdict(.problem, "recovery", "Name the primary")),
    ]

    @Test("what is found", arguments: situations)
    func findings(_ situation: Situation<Look>) async throws {
        let look = situation.facts
        let check = PostgresCheck(url: try PostgresURL(look.address), outcome: try await Self.outcome(look), poolSize: look.poolSize)
        expect(check.findings(), situation.verdicts)
        #expect(check.findings().allSatisfy { !$0.seen.contains("hidden") })
    }

    @Test("behind a pooler that is said")
    func pooler() throws {
        var seen = Self.seen
        seen.isBehindPooler = true
        let check = PostgresCheck(
            url: try PostgresURL("postgres://db.example/gate"), outcome: .success(.init(seen: seen, schema: .empty)), poolSize: 1)
        #expect(check.findings().contains { $0.seen.contains("A pooler is in front") && $0.status == .ok })
    }

    private static func outcome(_ look: Look) async throws -> PostgresCheck.Outcome {
        if let error = look.error { return .failure(error) }
        var seen = seen
        look.change(&seen)
        return .success(PostgresCheck.Facts(seen: seen, schema: look.schema))
    }

    private static let seen = PostgresExamination(
        version: "15.8", libraryVersion: "15.8", host: "db.example", isEncrypted: true, isBehindPooler: false, encoding: "UTF8",
        syncsFiles: true, user: "gate", mayCreate: true, foreignTables: [], forbiddenTables: [], freeConnections: 90,
        latency: .microseconds(400))
}
