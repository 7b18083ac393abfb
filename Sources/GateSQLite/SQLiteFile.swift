import CSQLite
import GateCore
import GateSQL
import Glibc

/// The database's file: making it, and making sure that it is ours and sound before anything is written.
struct SQLiteFile: Sendable {
    let path: String
    let options: SQLiteOptions

    /// "GATE": what `file(1)` and the next start know the file by (https://sqlite.org/pragma.html#pragma_application_id).
    static let applicationID: Int64 = 0x4741_5445

    /// In milliseconds, for a lock that another process holds: a backup being begun, someone's `sqlite3`.
    static let busyTimeout: Int32 = 2000

    /// The connection for writing, after the checks; the file and its folder are made where they are missing.
    ///
    /// Refused as `.corrupt`, with the file as it was: another program's database, what is no database, a file shorter than its
    /// header says, an empty file beside a write-ahead log (SQLite would delete the log). Files up to `checkedSize` are checked
    /// page by page (`quick_check`); beyond it that would take seconds of every start, and damage is found by the statement
    /// that meets it. An unclean end asks for no further check: what it leaves is repaired from the log, by checksum.
    func openForWriting() throws(StorageError) -> SQLiteConnection {
        try Self.createFolder(path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/"))
        try createFile()
        let connection = try connect()
        do {
            try adopt(connection)
            try checkSoundness(connection)
        } catch .misuse(let reason) {
            // A statement of ours that does not compile here: the schema that it was compiled against is nonsense.
            throw .corrupt(reason: "\(reason); \(SQLiteCode.advice)")
        }
        return connection
    }

    /// The connection for writing, without the checks: for going on after a failure.
    func reopenForWriting() throws(StorageError) -> SQLiteConnection {
        let connection = try connect()
        try adopt(connection)
        return connection
    }

    func openForReading() throws(StorageError) -> SQLiteConnection {
        let connection = try SQLiteConnection(path: path, access: .readOnly, vfs: options.vfs)
        connection.setBusyTimeout(milliseconds: Self.busyTimeout)
        try connection.executeScript("PRAGMA query_only = ON; PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON")
        return connection
    }

    private func connect() throws(StorageError) -> SQLiteConnection {
        let connection = try SQLiteConnection(path: path, access: .readWrite, vfs: options.vfs)
        connection.setBusyTimeout(milliseconds: Self.busyTimeout)
        try connection.executeScript(
            """
            PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON;
            PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = \(options.logLimit)
            """)
        return connection
    }

    private func adopt(_ connection: SQLiteConnection) throws(StorageError) {
        let id = try connection.integer("PRAGMA application_id")
        let pages = try connection.integer("PRAGMA page_count")
        if id == 0, pages == 0 {
            // Until the log takes over there is a rollback journal, whose deletion must be on disk: else a power cut brings it
            // back, and the next start undoes what it holds.
            try connection.execute("PRAGMA synchronous = EXTRA")
            try connection.execute("PRAGMA application_id = 0x47415445")
        } else if id != Self.applicationID {
            throw .corrupt(reason: "\(path) is a database, but not one of Gatehouse: choose another path, or move it away")
        }
        let mode = try connection.row("PRAGMA journal_mode = WAL") { (row) throws(StorageError) in try row.text(0) }
        try connection.execute("PRAGMA synchronous = FULL")
        guard mode == "wal" else { throw .readOnly(reason: "\(path): no write-ahead log can be kept here (\(mode ?? "no mode"))") }
    }

    private func checkSoundness(_ connection: SQLiteConnection) throws(StorageError) {
        let size = try connection.integer("PRAGMA page_count") * connection.integer("PRAGMA page_size")
        _ = try connection.row("SELECT count(*) FROM sqlite_schema") { (row) throws(StorageError) in try row.integer(0) }
        guard size < options.checkedSize else { return }
        let finding = try connection.row("PRAGMA quick_check(1)") { (row) throws(StorageError) in try row.text(0) }
        guard finding == "ok" else { throw .corrupt(reason: "\(path): \(finding ?? "no answer"); \(SQLiteCode.advice)") }
    }

    /// Makes `folder`, and those above it that are missing, with `0700`.
    static func createFolder(_ folder: String) throws(StorageError) {
        var rest = folder.split(separator: "/", omittingEmptySubsequences: false)
        var missing: [String] = []
        while !rest.isEmpty {
            let name = rest.joined(separator: "/")
            guard !name.isEmpty, access(name, F_OK) != 0 else { break }
            missing.append(name)
            rest = rest.dropLast()
        }
        for name in missing.reversed() {
            guard mkdir(name, 0o700) == 0 || errno == EEXIST else { throw systemError(errno, "the folder \(name) cannot be made") }
            try synchronizeFolder(above: name)
        }
    }

    /// Puts the entry of `path` in its folder on disk. SQLite does so for the files that it makes itself.
    private static func synchronizeFolder(above path: String) throws(StorageError) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        let folder = parts.isEmpty ? "." : parts == [""] ? "/" : parts.joined(separator: "/")
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw systemError(errno, "the folder \(folder) cannot be opened") }
        defer { Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw systemError(errno, "the folder \(folder) cannot be synced") }
    }

    /// Makes the file with `0600`; SQLite gives the files beside it the same.
    private func createFile() throws(StorageError) {
        var status = stat()
        if stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFREG else { throw .corrupt(reason: "\(path) is not a file") }
            guard status.st_size == 0 else { return }
            var log = stat()
            if stat("\(path)-wal", &log) == 0, log.st_size > 0 {
                throw .corrupt(reason: "\(path) is empty, but its write-ahead log is not; \(SQLiteCode.advice)")
            }
            return
        }
        let descriptor = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.systemError(errno, "\(path) cannot be made") }
        Glibc.close(descriptor)
        try Self.synchronizeFolder(above: path)
    }

    static func systemError(_ code: Int32, _ what: String) -> StorageError {
        let reason = "\(what): \(String(cString: strerror(code)))"
        return switch code {
        case ENOSPC, EDQUOT: .full(reason: reason)
        case EROFS, EACCES, EPERM: .readOnly(reason: reason)
        case EIO: .inputOutput(reason: reason)
        default: .unavailable(reason: reason)
        }
    }
}

extension SQLiteConnection {
    /// The one value of a query that returns one row with an integer.
    func integer(_ sql: StaticString) throws(StorageError) -> Int64 {
        guard let value = try row(sql, read: { (row) throws(StorageError) in try row.integer(0) }) else {
            throw .misuse(reason: "no row from \(sql)")
        }
        return value
    }
}
