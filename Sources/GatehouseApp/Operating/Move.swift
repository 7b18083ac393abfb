import GateACME
import GateCore
import GatePostgres
import GateSQL
import GateSQLite
import GateStores
package import Logging

/// Carries an installation to another database: from SQLite to Postgres when one machine is outgrown, and back. Its secrets go along, so that
/// everybody stays signed in (``MovedSecrets``), and so do its certificates (``MovedCertificates``).
package struct Move: Sendable {
    package struct Outcome: Sendable {
        package let counts: [(table: String, rows: Int)]
        /// Without passwords.
        package let source: String
        package let target: String
    }

    private let configuration: Configuration
    private let log: Logger

    package init(_ configuration: Configuration, log: Logger) {
        self.configuration = configuration
        self.log = log
    }

    /// Copies the configuration's database to the empty one at `address`, and compares every row. The source stays as it is.
    ///
    /// - Throws: `CommandFailure` while a server runs, where the target holds anything, or what was copied differs from its source.
    package func run(to address: String) async throws -> Outcome {
        let target: DatabaseURL
        do throws(InvalidValue) { target = try DatabaseURL(address) } catch {
            throw CommandFailure(.usage, "--to \(error.problem): \(error.cure)")
        }
        guard target != configuration.database.url else { throw CommandFailure(.usage, "The database is there already: \(target).") }
        // What root left in the data folder would be closed to the server.
        try DataFolderOwner.become(of: configuration.dataDirectory)
        do {
            let lock = try DataDirectoryLock(folder: configuration.dataDirectory)
            defer { lock.release() }
            return try await opened(configuration.database.url) { source in
                try await opened(target) { target in try await copy(source, target) }
            }
        } catch let error as StorageError {
            throw CommandFailure(error)
        } catch let error as SecretsError {
            throw CommandFailure(.configuration, error.description)
        } catch let error as StoreFailure {
            throw CommandFailure(.failure, error.description)
        }
    }

    private struct Side: Sendable {
        let database: any ServedDatabase
        let url: DatabaseURL
        let plan: MigrationPlan
    }

    private func opened<Result>(_ url: DatabaseURL, _ body: (Side) async throws -> Result) async throws -> Result {
        var changed = configuration
        changed.database.url = url
        let plan = try Backends.migrations(changed)
        let database = try await Backends.open(changed, time: SystemTime(), log: log).database
        do {
            let result = try await body(Side(database: database, url: url, plan: plan))
            await database.close()
            return result
        } catch {
            await database.close()
            throw error
        }
    }

    private func copy(_ source: Side, _ target: Side) async throws -> Outcome {
        for side in [source, target] { try await refuseOthers(side) }
        guard try await source.plan.status(source.database).allSatisfy({ $0.state == .applied }) else {
            throw CommandFailure(.failure, "\(source.url) is not at this program's schema: run gatehouse migrate up first.")
        }
        _ = try await target.plan.up(target.database, time: SystemTime())
        let transfer = AccountTransfer(from: source.database, to: target.database)
        let secrets = MovedSecrets(configuration, from: source.database, to: target.database)
        let certificates = MovedCertificates(configuration, from: source.database, to: target.database)
        let occupied = try await transfer.occupiedTables() + secrets.occupiedTables() + certificates.occupiedTables()
        guard occupied.isEmpty else {
            throw CommandFailure(
                .cannotCreate, "\(target.url) is not empty: there are rows in \(occupied.joined(separator: ", ")). Nothing was changed.")
        }
        try await secrets.prepare()
        let cargo = try await certificates.prepare()
        let counts = try await transfer.copy()
        if let difference = try await transfer.difference() {
            try await transfer.clear()
            throw CommandFailure(
                .failure, "The copy differs from its source at \(difference). The target was emptied, the source is untouched.")
        }
        try await secrets.carry()
        try await certificates.carry(cargo)
        return Outcome(
            counts: counts.map { ($0.table, $0.rows) }, source: source.url.description, target: target.url.description)
    }

    /// A server on another machine holds no lock of this data folder; its connections tell of it.
    private func refuseOthers(_ side: Side) async throws {
        guard let database = side.database as? PostgresDatabase else { return }
        let others = try await database.otherProcesses()
        guard others.isEmpty else {
            throw CommandFailure(
                .unavailable, "Somebody else works on \(side.url): \(others.joined(separator: ", ")). Stop every gatehouse first.")
        }
    }
}
