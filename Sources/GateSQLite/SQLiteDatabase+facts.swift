import CSQLite
import GateSQL

extension SQLiteDatabase {
    /// The version of the SQLite that is linked in.
    package static var linkedVersion: String { String(cString: sqlite3_libversion()) }

    /// Whether the last write, if there was any, was possible.
    package var canWrite: Bool { condition.failure == nil }
}
