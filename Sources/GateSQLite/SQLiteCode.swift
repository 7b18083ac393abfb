import CSQLite
import GateCore
import Glibc

/// What a result code of SQLite means (https://sqlite.org/rescode.html). The one place where codes become ``StorageError``.
enum SQLiteCode {
    /// Throws unless `code` is `SQLITE_OK`.
    ///
    /// - Parameter handle: the connection that answered; `nil` where it could not be made.
    static func check(_ code: Int32, _ handle: OpaquePointer?, path: String) throws(StorageError) {
        guard code == SQLITE_OK else { throw error(code, handle, path: path) }
    }

    static func error(_ code: Int32, _ handle: OpaquePointer?, path: String) -> StorageError {
        // With an extended code in hand the text is for people only; the one exception is `uniqueConstraint`.
        let message = handle.map { String(cString: sqlite3_errmsg($0)) } ?? String(cString: sqlite3_errstr(code))
        // SQLite notes it for these two only, and keeps it.
        let noted = code & 0xFF == SQLITE_IOERR || code & 0xFF == SQLITE_CANTOPEN
        let systemError = noted ? handle.map { sqlite3_system_errno($0) } ?? 0 : 0
        let cause = systemError != 0 ? ", \(String(cString: strerror(systemError)))" : ""
        let reason = "\(path): \(message) (code \(code)\(cause))"
        switch code & 0xFF {
        case SQLITE_CONSTRAINT: return constraint(code, message)
        case SQLITE_FULL: return .full(reason: reason)
        case SQLITE_READONLY: return .readOnly(reason: reason)
        case SQLITE_IOERR: return inputOutput(code, systemError, reason)
        case SQLITE_CORRUPT, SQLITE_NOTADB:
            return .corrupt(reason: "\(reason); \(Self.advice)")
        case SQLITE_BUSY, SQLITE_LOCKED: return .busy(reason: reason)
        case SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_AUTH: return cannotOpen(systemError, reason)
        case SQLITE_NOMEM, SQLITE_PROTOCOL, SQLITE_NOLFS, SQLITE_INTERRUPT: return .unavailable(reason: reason)
        default: return .misuse(reason: reason)
        }
    }

    /// What to do with a file that cannot be trusted.
    static let advice = "nothing was written to it; restore a backup, or copy it away and try `sqlite3 FILE .recover`"

    private static func constraint(_ code: Int32, _ message: String) -> StorageError {
        // SQLITE_CONSTRAINT_PRIMARYKEY, _UNIQUE and _ROWID: macros with arithmetic, which Swift does not import.
        switch code >> 8 {
        case 6, 8, 10: .uniqueViolation(constraint: uniqueConstraint(message))
        default: .constraintViolation(reason: message)
        }
    }

    /// The columns from `UNIQUE constraint failed: users.email, users.org`. SQLite tells them nowhere but in this text.
    private static func uniqueConstraint(_ message: String) -> String {
        let prefix = "UNIQUE constraint failed: "
        return message.hasPrefix(prefix) ? String(message.dropFirst(prefix.count).filter { $0 != " " }) : message
    }

    private static func inputOutput(_ code: Int32, _ systemError: Int32, _ reason: String) -> StorageError {
        if code >> 8 == 12 { return .unavailable(reason: reason) }  // SQLITE_IOERR_NOMEM
        switch systemError {
        case ENOSPC, EDQUOT: return .full(reason: reason)
        case EROFS: return .readOnly(reason: reason)
        default: return .inputOutput(reason: reason)
        }
    }

    private static func cannotOpen(_ systemError: Int32, _ reason: String) -> StorageError {
        switch systemError {
        case ENOSPC, EDQUOT: .full(reason: reason)
        case EROFS, EACCES, EPERM: .readOnly(reason: reason)
        default: .unavailable(reason: reason)
        }
    }
}
