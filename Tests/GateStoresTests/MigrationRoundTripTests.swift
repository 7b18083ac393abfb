import GateCore
import GateSQL
import GateSQLite
import GateStores
import GateTesting
import Testing

@Suite("The steps of the schema")
struct MigrationRoundTripTests {
    @Test("up, all the way down and up again leave the same schema", arguments: DatabaseKind.allCases)
    func roundTrip(_ kind: DatabaseKind) async throws {
        try await AccountDatabase.with(kind, migrated: false) { accounts in
            let plan = try MigrationPlan(kind.migrations)
            let empty = try await schema(accounts)
            #expect(try await plan.up(accounts.database, time: ManualTime()).map(\.version) == kind.migrations.map(\.version))
            let first = try await schema(accounts)
            #expect(first.contains { $0.contains("sessions") })
            for migration in kind.migrations.reversed() {
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
            if accounts.kind == .postgres { return try postgresSchema(connection) }
            return try connection.rows(
                """
                SELECT type || ' ' || name || ' ' || COALESCE(sql, '') FROM sqlite_schema
                WHERE name NOT LIKE '%schema_migrations%' ORDER BY type, name
                """
            ) { row throws(StorageError) in try row.text(0) }
        }
    }

    /// Columns with their types, rules and defaults, indexes and triggers.
    private func postgresSchema(_ connection: any SQLConnection) throws(StorageError) -> [String] {
        try connection.rows(
            """
            SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default, collation_name)
            FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'schema_migrations'
            UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'schema_migrations'
            UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
                WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'schema_migrations'
            UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
            UNION ALL SELECT proname || prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
            ORDER BY 1
            """
        ) { row throws(StorageError) in try row.text(0) }
    }

    /// What only instances share: see the comments in the migrations.
    private static let ofInstances = [
        "certificate_challenges", "certificate_records", "changes", "leases", "shared_secrets", "shared_settings",
    ]

    @Test("both databases have the same steps, tables and columns, but for what instances share")
    func sameTables() async throws {
        let steps = AccountMigrations.postgres.filter { step in AccountMigrations.sqlite.contains { $0.version == step.version } }
        #expect(AccountMigrations.sqlite.map(\.version) == steps.map(\.version))
        #expect(AccountMigrations.sqlite.map(\.name) == steps.map(\.name))
        let sqlite = try await AccountDatabase.with(.sqlite) { accounts in
            try await accounts.database.read { connection in
                try connection.rows(
                    """
                    SELECT t.name || '.' || c.name || ' ' || c."notnull" FROM pragma_table_list t, pragma_table_info(t.name) c
                    WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite_%' ORDER BY t.name, c.cid
                    """
                ) { row throws(StorageError) in try row.text(0) }
            }
        }
        let postgres = try await AccountDatabase.with(.postgres) { accounts in
            try await accounts.database.read { connection in
                try connection.rows(
                    """
                    SELECT table_name || '.' || column_name || ' ' || CASE is_nullable WHEN 'NO' THEN '1' ELSE '0' END
                    FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name COLLATE "C", ordinal_position
                    """
                ) { row throws(StorageError) in try row.text(0) }
            }
        }
        #expect(sqlite == postgres.filter { column in !Self.ofInstances.contains { column.hasPrefix($0 + ".") } })
    }
}
