package import GateCore
import GateIdentity
import GateSQL
package import GateSQLite
import GateStores
import Logging

/// A database on SQLite in a temporary folder, migrated, with the stores of accounts on it.
package struct AccountDatabase: Sendable {
    package let database: SQLiteDatabase
    private let folder: TemporaryFolder

    package init(time: any TimeSource = SystemTime(), migrated: Bool = true) async throws {
        folder = TemporaryFolder()
        database = try await Self.open(folder, time)
        if migrated { _ = try await MigrationPlan(AccountMigrations.sqlite).up(database, time: SystemTime()) }
    }

    private init(database: SQLiteDatabase, folder: TemporaryFolder) {
        self.database = database
        self.folder = folder
    }

    private static func open(_ folder: TemporaryFolder, _ time: any TimeSource) async throws -> SQLiteDatabase {
        try await SQLiteDatabase.open(
            path: folder.file("gatehouse.db"), time: time, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// Opens one, and closes it when `body` has returned.
    package static func with<Result>(
        time: any TimeSource = SystemTime(), migrated: Bool = true, _ body: (AccountDatabase) async throws -> Result
    ) async throws -> Result {
        let database = try await AccountDatabase(time: time, migrated: migrated)
        do {
            let result = try await body(database)
            await database.close()
            return result
        } catch {
            await database.close()
            throw error
        }
    }

    /// Closes the file and opens it again, as a restart of the server does.
    package func reopened(time: any TimeSource) async throws -> AccountDatabase {
        await database.close()
        return AccountDatabase(database: try await Self.open(folder, time), folder: folder)
    }

    package func close() async { await database.close() }

    package var stores: AccountStores {
        AccountStores(
            users: SQLUserStore(database), sessions: SQLSessionStore(database), organisations: SQLOrganisationStore(database),
            revocations: SQLRevocationStore(database), loginFailures: SQLLoginFailureStore(database))
    }
}
