import CSQLite
import GateCore
import GateSQL
import Glibc

/// A copy of a database as it was at one moment, made by SQLite's online backup (https://sqlite.org/backup.html).
///
/// The reader that it is made from stays in one read transaction from the first page to the last. In WAL mode that keeps no writer waiting,
/// and the backup never begins anew, as it would after each commit of another connection. What it costs is that the write-ahead log cannot
/// be begun anew meanwhile.
final class SQLiteSnapshot {
    private let source: SQLiteConnection
    private let target: SQLiteConnection

    /// Pages that are copied at once: 256 KiB.
    private static let step: Int32 = 64
    /// After so many pages what was copied is handed to the disk, so that the writer's syncs do not wait for all of it at once.
    private static let flushEvery = 2048

    /// - Parameter path: a new file, made with `0600`.
    init(of file: SQLiteFile, to path: String) throws(StorageError) {
        source = try file.openForReading()
        let descriptor = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw SQLiteFile.systemError(errno, "\(path) cannot be made") }
        close(descriptor)
        target = try SQLiteConnection(path: path, access: .readWrite, vfs: file.options.vfs)
        // Nobody reads it before it is complete, and what is not is deleted.
        try target.executeScript("PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY")
        try target.setJournalMode("PRAGMA journal_mode = OFF")
    }

    /// Copies everything, flushes it, and leaves a file that needs no other beside it.
    ///
    /// - Parameter progress: is told after each step how many pages there are, and how many are copied; `false` ends it with `.closed`.
    /// - Returns: the newest migration in it; zero where there is none.
    func run(_ progress: (_ copied: Int, _ pages: Int) -> Bool) throws(StorageError) -> Int {
        try source.execute("BEGIN")
        let schema = try source.row("SELECT count(*) FROM sqlite_schema WHERE name = 'schema_migrations'") {
            row throws(StorageError) in try row.integer(0)
        }
        var version: Int64 = 0
        if schema == 1 {
            version =
                try source.row("SELECT coalesce(max(version), 0) FROM schema_migrations") {
                    row throws(StorageError) in try row.integer(0)
                } ?? 0
        }
        try copy(progress)
        try source.execute("COMMIT")
        // A reader of the archive finds a database that it may open where it cannot write.
        try target.setJournalMode("PRAGMA journal_mode = DELETE")
        try flush()
        return Int(version)
    }

    private func copy(_ progress: (_ copied: Int, _ pages: Int) -> Bool) throws(StorageError) {
        try target.copyPages(of: source, step: Self.step) { copied, pages throws(StorageError) in
            guard progress(copied, pages) else { throw .closed }
            if copied % Self.flushEvery < Int(Self.step) { try flush() }
            sched_yield()
        }
    }

    private func flush() throws(StorageError) {
        let descriptor = open(target.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SQLiteFile.systemError(errno, "\(target.path) cannot be opened") }
        defer { close(descriptor) }
        guard fdatasync(descriptor) == 0 else { throw SQLiteFile.systemError(errno, "\(target.path) cannot be synced") }
    }
}
