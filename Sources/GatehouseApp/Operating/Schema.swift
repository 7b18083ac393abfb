package import GateCore
package import GateSQL
import GateSQLite
package import Logging

/// The database's schema, worked on where no server runs: changing it under a running one would break it.
package struct Schema {
    private let database: any ServedDatabase
    private let plan: MigrationPlan
    private let backups: Backups
    private let lock: DataDirectoryLock

    /// - Throws: `CommandFailure`.
    package static func open(_ configuration: Configuration, log: Logger) async throws -> Schema {
        try DataFolderOwner.become(of: configuration.dataDirectory)
        do {
            let lock = try DataFolderLock.take(configuration.dataDirectory)
            let database = try await Backends.open(configuration, time: SystemTime(), log: log).database
            let backups = Backups(
                configuration, database: database as? SQLiteDatabase, time: SystemTime(), entropy: SystemEntropy(), log: log)
            return Schema(database: database, plan: try Backends.migrations(configuration), backups: backups, lock: lock)
        } catch let error as StorageError {
            throw CommandFailure(error)
        }
    }

    /// - Parameter withBackup: whether a backup is made before, where something is there that could be lost.
    package func up(withBackup: Bool) async throws -> [Migration] {
        try await naming {
            if withBackup { try await backups.makeBeforeMigration(plan) }
            return try await plan.up(database, time: SystemTime())
        }
    }

    package func down(withBackup: Bool) async throws -> Migration? {
        try await naming {
            if withBackup { try await backups.makeBeforeSchemaChange() }
            return try await plan.down(database)
        }
    }

    /// - Returns: a list, each with `version`, `name`, `state` and `applied_at`.
    package func status() async throws -> JSON { .array(try await naming { try await plan.status(database) }.map(\.json)) }

    /// The same as ``status()``, of a server that runs.
    /// - Returns: `nil` where none does.
    package static func statusOfServer(_ configuration: Configuration) async throws -> JSON? {
        guard let connection = try await AdminConnection.toServer(configuration) else { return nil }
        do {
            let answer = try await connection.call("GET", "/admin/migrations")
            await connection.close()
            return answer["migrations"]
        } catch {
            await connection.close()
            throw error
        }
    }

    package func close() async {
        await database.close()
        lock.release()
    }

    private func naming<Result>(_ work: () async throws -> Result) async throws -> Result {
        do { return try await work() } catch let error as StorageError { throw CommandFailure(error) }
    }
}

extension MigrationStatus {
    var json: JSON {
        [
            "version": .integer(Int64(version)), "name": .string(name), "state": .string(state.rawValue),
            "applied_at": appliedAt.map { .string($0.rfc3339) } ?? .null,
        ]
    }
}
