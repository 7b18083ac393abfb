import CSQLite
import GateCore
import GateSQL

extension SQLiteConnection {
    /// Replaces this connection's database with that of `source`, `step` pages at a time (https://sqlite.org/c3ref/backup_finish.html).
    ///
    /// - Parameter between: called after each step with the pages copied and all of them; what it throws ends the copying.
    func copyPages(of source: SQLiteConnection, step: Int32, between: (_ copied: Int, _ pages: Int) throws(StorageError) -> Void)
        throws(StorageError)
    {
        guard let backup = withHandle({ target in source.withHandle { sqlite3_backup_init(target, "main", $0, "main") } }) else {
            throw error(withHandle { sqlite3_extended_errcode($0) })
        }
        var failure: StorageError?
        var code = SQLITE_OK
        while code == SQLITE_OK, failure == nil {
            code = sqlite3_backup_step(backup, step)
            guard code == SQLITE_OK || code == SQLITE_DONE else { break }
            let pages = Int(sqlite3_backup_pagecount(backup))
            do throws(StorageError) {
                try between(pages - Int(sqlite3_backup_remaining(backup)), pages)
            } catch {
                failure = error
            }
        }
        let end = sqlite3_backup_finish(backup)
        if let failure { throw failure }
        guard code == SQLITE_DONE, end == SQLITE_OK else { throw SQLiteCode.error(code == SQLITE_DONE ? end : code, nil, path: path) }
    }

    /// - Parameter pragma: `PRAGMA journal_mode = …`, which answers with what is in force and is no error where that is another.
    func setJournalMode(_ pragma: StaticString) throws(StorageError) {
        _ = try row(pragma) { row throws(StorageError) in try row.text(0) }
    }
}
