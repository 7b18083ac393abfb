package import GateCore
import GateIdentity
import GatePostgres
package import GateSQL
import GateSQLite
import GateStores
import Logging
import Testing

/// What the stores are tested on.
package enum DatabaseKind: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case sqlite = "SQLite"
    case postgres = "Postgres"

    package var testDescription: String { rawValue }

    package var migrations: [Migration] {
        switch self {
        case .sqlite: AccountMigrations.sqlite
        case .postgres: AccountMigrations.postgres
        }
    }
}

/// A database of a test's own, migrated, with the stores of accounts on it.
package struct AccountDatabase: Sendable {
    package let database: any ServedDatabase
    package let kind: DatabaseKind
    private let place: Place

    private enum Place: Sendable {
        case folder(TemporaryFolder)
        case name(String)
    }

    package init(_ kind: DatabaseKind = .current, time: any TimeSource = SystemTime(), migrated: Bool = true) async throws {
        let place: Place =
            switch kind {
            case .sqlite: .folder(TemporaryFolder())
            case .postgres: .name(PostgresServer.current.newDatabase())
            }
        self.init(database: try await Self.open(place, time), kind: kind, place: place)
        if migrated { _ = try await MigrationPlan(kind.migrations).up(database, time: SystemTime()) }
    }

    private init(database: any ServedDatabase, kind: DatabaseKind, place: Place) {
        self.database = database
        self.kind = kind
        self.place = place
    }

    private static func open(_ place: Place, _ time: any TimeSource) async throws -> any ServedDatabase {
        switch place {
        case .folder(let folder):
            try await SQLiteDatabase.open(
                path: folder.file("gatehouse.db"), time: time, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        // Its time limits are measured on the real clock.
        case .name(let name): try await PostgresServer.current.open(PostgresServer.current.url(name))
        }
    }

    /// Opens one, and closes it when `body` has returned.
    package static func with<Result>(
        _ kind: DatabaseKind = .current, time: any TimeSource = SystemTime(), migrated: Bool = true,
        _ body: (AccountDatabase) async throws -> Result
    ) async throws -> Result {
        let database = try await AccountDatabase(kind, time: time, migrated: migrated)
        do {
            let result = try await body(database)
            await database.close()
            return result
        } catch {
            await database.close()
            throw error
        }
    }

    /// Closes the database and opens it again, as a restart of the server does.
    package func reopened(time: any TimeSource) async throws -> AccountDatabase {
        await database.close()
        return AccountDatabase(database: try await Self.open(place, time), kind: kind, place: place)
    }

    /// Opens it a second time, as another instance does; `nil` where only one process may.
    package func opened(time: any TimeSource) async throws -> AccountDatabase? {
        guard kind == .postgres else { return nil }
        return AccountDatabase(database: try await Self.open(place, time), kind: kind, place: place)
    }

    package func close() async { await database.close() }

    package var stores: AccountStores {
        AccountStores(
            users: SQLUserStore(database), sessions: SQLSessionStore(database), organisations: SQLOrganisationStore(database),
            revocations: SQLRevocationStore(database), loginFailures: SQLLoginFailureStore(database))
    }
}
