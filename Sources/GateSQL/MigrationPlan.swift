package import GateCore

/// All steps of the schema that this program knows, and what is done with them.
///
/// What was applied is kept in the table `schema_migrations`. Each step has a transaction of its own, and each transaction reads
/// anew what was applied: two programs that start together do no step twice.
package struct MigrationPlan: Sendable {
    package let migrations: [Migration]

    /// - Throws: `.misuse` where two steps have one version, or a version is below one.
    package init(_ migrations: [Migration]) throws(StorageError) {
        self.migrations = migrations.sorted { $0.version < $1.version }
        var previous = 0
        for migration in self.migrations {
            guard migration.version > previous else {
                throw .misuse(reason: "two migrations have version \(migration.version), or it is below 1")
            }
            previous = migration.version
        }
    }

    /// Applies every pending step, in order. Where one fails, those before it stay.
    ///
    /// - Returns: the steps that were applied now.
    /// - Throws: `.schema` where the database is newer than this program, or an applied step was altered; nothing is applied
    ///   then. Otherwise what the database throws.
    package func up(_ database: some SQLSchemaDatabase, time: some TimeSource) async throws -> [Migration] {
        var done: [Migration] = []
        while let migration = try await database.changeSchema({ try applyNext($0, at: time.now()) }) { done.append(migration) }
        return done
    }

    /// Takes the newest applied step back.
    ///
    /// - Returns: that step, or `nil` where none is applied.
    /// - Throws: `.schema` as ``up(_:time:)`` does; otherwise what the database throws.
    package func down(_ database: some SQLSchemaDatabase) async throws -> Migration? {
        try await database.changeSchema { connection in
            let applied = try Applied.all(connection)
            try verify(applied)
            guard let newest = applied.last, let migration = migrations.first(where: { $0.version == newest.version }) else { return nil }
            try connection.executeScript(migration.down)
            try connection.execute("DELETE FROM schema_migrations WHERE version = ?1", [migration.version])
            return migration
        }
    }

    /// Every step that this program or the database knows, in order. Refuses nothing.
    package func status(_ database: some SQLSchemaDatabase) async throws -> [MigrationStatus] {
        let applied = try await database.changeSchema { try Applied.all($0) }
        let known = Set(migrations.map(\.version))
        var list = migrations.map { migration in
            let row = applied.first { $0.version == migration.version }
            return MigrationStatus(
                version: migration.version, name: migration.name, appliedAt: row?.at,
                state: row.map { $0.matches(migration) ? .applied : .altered } ?? .pending)
        }
        for row in applied where !known.contains(row.version) {
            list.append(MigrationStatus(version: row.version, name: row.name, appliedAt: row.at, state: .unknown))
        }
        return list.sorted { $0.version < $1.version }
    }

    /// Looks whether this program can work on a database, now or once what is pending is applied, and changes nothing.
    ///
    /// - Returns: the newest version that is applied.
    /// - Throws: `.schema` as ``up(_:time:)`` does, and where nothing is applied.
    package func check(_ connection: any SQLConnection) throws(StorageError) -> Int {
        let applied = try Applied.recorded(connection)
        try verify(applied)
        guard let newest = applied.last else { throw .schema(reason: "no migration was ever applied to the database") }
        return newest.version
    }

    private func applyNext(_ connection: any SQLSchemaConnection, at now: Timestamp) throws -> Migration? {
        let applied = try Applied.all(connection)
        try verify(applied)
        guard let next = migrations.first(where: { $0.version > applied.last?.version ?? 0 }) else { return nil }
        try connection.executeScript(next.up)
        try connection.execute(
            "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES (?1, ?2, ?3, ?4)",
            [next.version, next.name, next.checksum, now])
        return next
    }

    private func verify(_ applied: [Applied]) throws(StorageError) {
        let newest = migrations.last?.version ?? 0
        if let last = applied.last, last.version > newest {
            throw .schema(
                reason: "the database has version \(last.version) (\(last.name)), this program knows no version beyond \(newest); "
                    + "use the program that made it, or a newer one")
        }
        for row in applied {
            guard let migration = migrations.first(where: { $0.version == row.version }) else {
                throw .schema(reason: "the database has version \(row.version) (\(row.name)), which this program does not know")
            }
            guard row.matches(migration) else {
                throw .schema(
                    reason: "migration \(row.version) (\(migration.name)) was altered after it was applied: "
                        + "its checksum was \(row.checksum), now it is \(migration.checksum)")
            }
        }
        let versions = Set(applied.map(\.version))
        if let skipped = migrations.first(where: { $0.version < applied.last?.version ?? 0 && !versions.contains($0.version) }) {
            throw .schema(
                reason: "migration \(skipped.version) (\(skipped.name)) was never applied, though version "
                    + "\(applied.last?.version ?? 0) was")
        }
    }
}

/// One row of `schema_migrations`.
private struct Applied: Sendable {
    let version: Int
    let name: String
    let checksum: String
    let at: Timestamp

    func matches(_ migration: Migration) -> Bool { checksum == migration.checksum && name == migration.name }

    /// All rows by version; the table is made where it is missing. `BIGINT`, because a Postgres `INTEGER` has 32 bits.
    static func all(_ connection: any SQLSchemaConnection) throws(StorageError) -> [Applied] {
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS schema_migrations (
                version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL
            )
            """)
        return try recorded(connection)
    }

    static func recorded(_ connection: any SQLConnection) throws(StorageError) -> [Applied] {
        try connection.rows("SELECT version, name, checksum, applied_at FROM schema_migrations ORDER BY version") {
            row throws(StorageError) in
            Applied(
                version: Int(try row.integer(0)), name: try row.text(1), checksum: try row.text(2), at: try row.timestamp(3))
        }
    }
}
