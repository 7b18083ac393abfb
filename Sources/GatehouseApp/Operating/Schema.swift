import GateCore
package import GateSQL
import GateSQLite
package import Logging

/// The database's schema, worked on where no server runs: changing it under a running one would break it.
package struct Schema {
    private let database: SQLiteDatabase
    private let plan: MigrationPlan
    private let backups: Backups
    private let lock: DataDirectoryLock

    /// - Throws: `CommandFailure`.
    package static func open(_ configuration: Configuration, log: Logger) async throws -> Schema {
        do {
            let lock = try DataFolderLock.take(configuration.dataDirectory)
            let database = try await Backends.open(configuration, time: SystemTime(), log: log).database
            let backups = Backups(configuration, database: database, time: SystemTime(), entropy: SystemEntropy(), log: log)
            return Schema(database: database, plan: try Backends.migrations(configuration), backups: backups, lock: lock)
        } catch let error as StorageError {
            throw CommandFailure(error)
        }
    }

    /// - Parameter withBackup: whether a backup is made before, where something is there that could be lost.
    package func up(withBackup: Bool) async throws -> [Migration] {
        try await naming {
            if withBackup { try await backups.makeBeforeMigration(plan, of: database) }
            return try await plan.up(database, time: SystemTime())
        }
    }

    package func down(withBackup: Bool) async throws -> Migration? {
        try await naming {
            if withBackup { try await backups.makeBeforeSchemaChange() }
            return try await plan.down(database)
        }
    }

    package func status() async throws -> [MigrationStatus] { try await naming { try await plan.status(database) } }

    package func close() async {
        await database.close()
        lock.release()
    }

    private func naming<Result>(_ work: () async throws -> Result) async throws -> Result {
        do { return try await work() } catch let error as StorageError { throw CommandFailure(error) }
    }
}
