import GateBackup
import GateCore
import GateSQL
import GateSQLite
import GateStores

/// What is in a database that came out of a backup.
struct BackupInspection: Hashable, Sendable {
    /// The newest migration in it.
    var schemaVersion: Int
    var users: Int
    var organisations: Int
    var sessions: Int

    /// Checks every page, the foreign keys and the schema, and counts.
    ///
    /// - Throws: `.damaged`, or `.newer` for a schema that this program does not know.
    init(_ path: String) throws(BackupError) {
        self = try Self.reading(path) { connection in
            let version = try MigrationPlan(AccountMigrations.sqlite).check(connection)
            func count(_ sql: StaticString) throws -> Int {
                Int(try connection.row(sql, [], read: { row throws(StorageError) in try row.integer(0) }) ?? 0)
            }
            return try BackupInspection(
                schemaVersion: version, users: count("SELECT count(*) FROM users"),
                organisations: count("SELECT count(*) FROM organisations"), sessions: count("SELECT count(*) FROM sessions"))
        }
    }

    private init(schemaVersion: Int, users: Int, organisations: Int, sessions: Int) {
        self.schemaVersion = schemaVersion
        self.users = users
        self.organisations = organisations
        self.sessions = sessions
    }

    /// Checks a copy that was just made. Its schema may be an older one, with which nothing else can be asked.
    static func requireSound(_ path: String) throws(BackupError) { try reading(path) { _ in } }

    /// Ends every session that it holds: what was revoked after the backup must not come back.
    static func endSessions(_ path: String) throws(BackupError) {
        do {
            try SQLiteInspection.change(path) { connection in
                _ = try connection.execute("DELETE FROM sessions", [])
            }
        } catch let error as StorageError {
            throw BackupError(error)
        } catch {
            throw BackupError(.failed, "\(error)")
        }
    }

    private static func reading<Result>(_ path: String, _ body: (any SQLConnection) throws -> Result) throws(BackupError) -> Result {
        do {
            return try SQLiteInspection.open(path, body)
        } catch let error as StorageError {
            throw BackupError(error)
        } catch {
            throw BackupError(.failed, "\(error)")
        }
    }
}
