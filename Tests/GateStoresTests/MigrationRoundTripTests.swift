import GateCore
import GateSQL
import GateSQLite
import GateStores
import GateTesting
import Testing

@Suite("The steps of the schema")
struct MigrationRoundTripTests {
    @Test("up, all the way down and up again leave the same schema")
    func roundTrip() async throws {
        try await AccountDatabase.with(migrated: false) { accounts in
            let plan = try MigrationPlan(AccountMigrations.sqlite)
            let empty = try await schema(accounts)
            #expect(try await plan.up(accounts.database, time: ManualTime()).map(\.version) == AccountMigrations.sqlite.map(\.version))
            let first = try await schema(accounts)
            #expect(first.contains { $0.contains("CREATE TABLE sessions") })
            for migration in AccountMigrations.sqlite.reversed() {
                #expect(try await plan.down(accounts.database) == migration)
            }
            #expect(try await plan.down(accounts.database) == nil)
            #expect(try await schema(accounts) == empty)
            _ = try await plan.up(accounts.database, time: ManualTime())
            #expect(try await schema(accounts) == first)
        }
    }

    @Test("every table is strict")
    func strict() async throws {
        try await AccountDatabase.with { accounts in
            let lax = try await accounts.database.read { connection in
                try connection.rows(
                    "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite_%'"
                ) { row throws(StorageError) in try row.text(0) }
            }
            #expect(lax.filter { $0 != "schema_migrations" } == [])
        }
    }

    private func schema(_ accounts: AccountDatabase) async throws -> [String] {
        try await accounts.database.read { connection in
            try connection.rows(
                """
                SELECT type || ' ' || name || ' ' || COALESCE(sql, '') FROM sqlite_schema
                WHERE name NOT LIKE '%schema_migrations%' ORDER BY type, name
                """
            ) { row throws(StorageError) in try row.text(0) }
        }
    }
}
