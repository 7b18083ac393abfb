import GateCore
package import GateSQL
import GateSQLite
package import Logging

/// The database's schema, worked on where no server runs: changing it under a running one would break it.
package struct Schema {
    private let database: any ServedDatabase
    private let plan: MigrationPlan
    private let lock: DataDirectoryLock

    /// - Throws: `CommandFailure`.
    package static func open(_ configuration: Configuration, log: Logger) async throws -> Schema {
        do {
            let lock = try DataDirectoryLock(folder: configuration.dataDirectory)
            let database = try await Backends.open(configuration, time: SystemTime(), log: log).database
            return Schema(database: database, plan: try Backends.migrations(configuration), lock: lock)
        } catch let error as StorageError {
            throw CommandFailure(error)
        }
    }

    package func up() async throws -> [Migration] { try await naming { try await plan.up(database, time: SystemTime()) } }
    package func down() async throws -> Migration? { try await naming { try await plan.down(database) } }
    package func status() async throws -> [MigrationStatus] { try await naming { try await plan.status(database) } }

    package func close() async {
        await database.close()
        lock.release()
    }

    private func naming<Result>(_ work: () async throws -> Result) async throws -> Result {
        do { return try await work() } catch let error as StorageError { throw CommandFailure(error) }
    }
}
