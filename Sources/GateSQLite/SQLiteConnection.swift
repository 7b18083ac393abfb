import CSQLite
import GateCore
import GateSQL

/// One connection to the file. Confined to the thread that made it: it is opened without SQLite's own locks.
final class SQLiteConnection {
    enum Access {
        case readWrite
        case readOnly
        /// Read-only, of a file that nobody else has open. Its path is a URI.
        case readOnlyAlone
    }

    let path: String
    private let access: Access
    private let database: OpaquePointer
    /// By the address of the text: a `StaticString` is a literal, and a program has finitely many of them.
    private var statements: [UnsafePointer<UInt8>: SQLiteStatement] = [:]
    /// Whether there may be something to undo since somebody set this to false: a statement that writes was tried.
    var hasWritten = false
    private var savepoint: SQLiteStatement?
    private var release: SQLiteStatement?

    /// Once for the process, before its first connection.
    private static let withoutMemoryCounting: Void = gate_sqlite3_stop_counting_memory()

    init(path: String, access: Access, vfs: String?) throws(StorageError) {
        self.path = path
        self.access = access
        Self.withoutMemoryCounting
        var database: OpaquePointer?
        let mode =
            switch access {
            case .readWrite: SQLITE_OPEN_READWRITE
            case .readOnly: SQLITE_OPEN_READONLY
            case .readOnlyAlone: SQLITE_OPEN_READONLY | SQLITE_OPEN_URI
            }
        let flags = mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let code = sqlite3_open_v2(path, &database, flags, vfs)
        guard code == SQLITE_OK, let database else {
            // Even a failed opening leaves a handle, which holds the error.
            defer { sqlite3_close_v2(database) }
            throw SQLiteCode.error(code, database, path: path)
        }
        self.database = database
        // What could run code that came with the file, or write to the schema behind our back.
        _ = gate_sqlite3_db_config_bool(database, SQLITE_DBCONFIG_DEFENSIVE, 1)
        _ = gate_sqlite3_db_config_bool(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
        _ = gate_sqlite3_db_config_bool(database, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0)
        // A double-quoted word that names no column is an error, not a text.
        _ = gate_sqlite3_db_config_bool(database, SQLITE_DBCONFIG_DQS_DML, 0)
        _ = gate_sqlite3_db_config_bool(database, SQLITE_DBCONFIG_DQS_DDL, 0)
        setCheckpointOnClose(false)
    }

    deinit {
        statements.removeAll()
        savepoint = nil
        release = nil
        sqlite3_close_v2(database)
    }

    /// Whether a transaction is open. SQLite ends one by itself after some failures.
    var inTransaction: Bool { sqlite3_get_autocommit(database) == 0 }

    /// Whether to copy the write-ahead log into the file, and delete it, should this be the last connection that closes. Not
    /// unless asked for: a file that is refused must stay as it was.
    func setCheckpointOnClose(_ on: Bool) {
        _ = gate_sqlite3_db_config_bool(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, on ? 0 : 1)
    }

    /// Makes a change that means nothing, for its commit's sake: four bytes of the file's header. `user_version` serves for this
    /// alone; the schema's version is in `schema_migrations`.
    func touch() throws(StorageError) {
        let version = try integer("PRAGMA user_version")
        try execute(version == 0 ? "PRAGMA user_version = 1" : "PRAGMA user_version = 0")
    }

    /// How long to wait for a lock that another connection holds, in milliseconds.
    func setBusyTimeout(milliseconds: Int32) { sqlite3_busy_timeout(database, milliseconds) }

    /// The handle, which must not be kept.
    func withHandle<Result>(_ body: (OpaquePointer) -> Result) -> Result { body(database) }

    func error(_ code: Int32) -> StorageError { SQLiteCode.error(code, database, path: path) }

    /// Copies the write-ahead log into the database file (https://sqlite.org/c3ref/wal_checkpoint_v2.html).
    ///
    /// - Returns: the frames in the log, and how many of them are in the database file now.
    func checkpoint(_ mode: Int32) throws(StorageError) -> (frames: Int, copied: Int) {
        var frames: Int32 = 0
        var copied: Int32 = 0
        try SQLiteCode.check(sqlite3_wal_checkpoint_v2(database, nil, mode, &frames, &copied), database, path: path)
        return (Int(frames), Int(copied))
    }

    /// Has `counter` told the number of frames in the write-ahead log at each commit. It must outlive the connection.
    func reportFrames(to counter: UnsafeMutablePointer<Int>) {
        sqlite3_wal_hook(
            database,
            { context, _, _, frames in
                context?.assumingMemoryBound(to: Int.self).pointee = Int(frames)
                return SQLITE_OK
            }, counter)
    }

    /// Begins a part of the transaction that can be undone by itself, which ``releaseSavepoint()`` ends.
    func openSavepoint() throws(StorageError) { try step(&savepoint, "SAVEPOINT body") }

    func releaseSavepoint() throws(StorageError) { try step(&release, "RELEASE body") }

    private func step(_ kept: inout SQLiteStatement?, _ sql: StaticString) throws(StorageError) {
        if kept == nil { kept = try prepared(sql) }
        guard let statement = kept else { return }
        defer { statement.reset() }
        let code = sqlite3_step(statement.pointer)
        guard code == SQLITE_DONE else { throw error(code) }
    }

    private func withStatement<Result>(_ sql: StaticString, _ body: (SQLiteStatement) throws(StorageError) -> Result)
        throws(StorageError) -> Result
    {
        let statement = try prepared(sql)
        statement.inUse = true
        if !statement.isReadOnly { hasWritten = true }
        defer {
            statement.reset()
            statement.inUse = false
        }
        return try body(statement)
    }

    private func prepared(_ sql: StaticString) throws(StorageError) -> SQLiteStatement {
        let cached = statements[sql.utf8Start]
        if let cached, !cached.inUse { return cached }
        let text = UnsafeBufferPointer(start: sql.utf8Start, count: sql.utf8CodeUnitCount)
        let statement = try SQLiteStatement(text, persistent: cached == nil, on: database, path: path)
        guard access == .readWrite || statement.isReadOnly else { throw .misuse(reason: "a read that writes: \(sql)") }
        if cached == nil { statements[sql.utf8Start] = statement }
        return statement
    }

    private func bind(_ parameters: [any SQLBindable], to statement: SQLiteStatement) throws(StorageError) {
        try SQLiteCode.check(statement.bind(parameters), database, path: path)
    }
}

extension SQLiteConnection: SQLSchemaConnection {
    @discardableResult
    func execute(_ sql: StaticString, _ parameters: [any SQLBindable]) throws(StorageError) -> Int {
        try withStatement(sql) { statement throws(StorageError) in
            try bind(parameters, to: statement)
            let before = sqlite3_total_changes64(database)
            var code = sqlite3_step(statement.pointer)
            while code == SQLITE_ROW { code = sqlite3_step(statement.pointer) }
            guard code == SQLITE_DONE else { throw error(code) }
            // What changes nothing leaves the count of the statement before it.
            return sqlite3_total_changes64(database) == before ? 0 : Int(sqlite3_changes64(database))
        }
    }

    func query(_ sql: StaticString, _ parameters: [any SQLBindable], row: (borrowing any SQLRow) throws(StorageError) -> Void)
        throws(StorageError)
    {
        try withStatement(sql) { statement throws(StorageError) in
            try bind(parameters, to: statement)
            while true {
                switch sqlite3_step(statement.pointer) {
                case SQLITE_ROW: try row(SQLiteRow(statement: statement.pointer))
                case SQLITE_DONE: return
                case let code: throw error(code)
                }
            }
        }
    }

    func executeScript(_ sql: String) throws(StorageError) {
        let transaction = inTransaction
        hasWritten = true
        try SQLiteCode.check(sqlite3_exec(database, sql, nil, nil, nil), database, path: path)
        guard inTransaction == transaction else { throw .misuse(reason: "a script must not begin or end a transaction") }
    }
}
