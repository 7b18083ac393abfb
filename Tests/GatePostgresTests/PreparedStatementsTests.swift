import GateCore
import GateSQL
import GateTesting
import Testing

@testable import GatePostgres

@Suite("Statements that are prepared together with what fails after it")
struct PreparedStatementsTests {
    private static var single: PostgresOptions {
        var options = PostgresOptions()
        options.connections = 1
        return options
    }

    @Test("stay prepared where the first execution conflicts, and the same connection goes on using them")
    func conflict() async throws {
        try await PostgresServer.shared.withDatabase(options: Self.single) { database, _ in
            try await database.changeSchema {
                try $0.executeScript(
                    """
                    CREATE SEQUENCE tries;
                    CREATE FUNCTION conflict_once() RETURNS BIGINT LANGUAGE plpgsql AS $$
                    BEGIN
                        IF nextval('tries') = 1 THEN RAISE EXCEPTION 'in the way' USING ERRCODE = '40001'; END IF;
                        RETURN pg_backend_pid();
                    END
                    $$
                    """)
            }
            let process = try await Self.process(database)
            let number = try await database.write {
                try $0.row("SELECT conflict_once()") { row throws(StorageError) in try row.integer(0) }
            }
            #expect(number == process)
            #expect(database.pool.condition.conflicts == 1)
            #expect(database.pool.condition.preparesStatements)
        }
    }

    @Test("stay prepared where the first execution breaks a constraint", arguments: [1, 2])
    func constraint(_ times: Int) async throws {
        try await PostgresServer.shared.withDatabase(options: Self.single) { database, _ in
            try await database.changeSchema {
                try $0.executeScript("CREATE TABLE few (number BIGINT NOT NULL CHECK (number < 3))")
            }
            let process = try await Self.process(database)
            let insert: @Sendable (Int64) async throws -> Void = { number in
                try await database.write { _ = try $0.execute("INSERT INTO few (number) VALUES (?1)", [number]) }
            }
            for _ in 0..<times {
                await #expect {
                    try await insert(4)
                } throws: { error in
                    if case StorageError.constraintViolation = error { true } else { false }
                }
            }
            try await insert(2)
            #expect(try await Self.process(database) == process)
            #expect(database.pool.condition.preparesStatements)
        }
    }

    @Test("are not taken for prepared where preparing them failed")
    func unprepared() async throws {
        try await PostgresServer.shared.withDatabase(options: Self.single) { database, _ in
            let count: @Sendable () async throws -> Int64 = {
                try await database.read {
                    try $0.row("SELECT count(*) FROM later") { row throws(StorageError) in try row.integer(0) } ?? -1
                }
            }
            await #expect(throws: StorageError.self) { try await count() }
            try await database.changeSchema { try $0.executeScript("CREATE TABLE later (number BIGINT NOT NULL)") }
            #expect(try await count() == 0)
            #expect(database.pool.condition.preparesStatements)
        }
    }

    private static func process(_ database: PostgresDatabase) async throws -> Int64? {
        try await database.read { try $0.row("SELECT pg_backend_pid()") { row throws(StorageError) in try row.integer(0) } }
    }
}
