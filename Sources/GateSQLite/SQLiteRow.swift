import CSQLite
import GateCore
import GateSQL

/// The row on which a statement stands.
struct SQLiteRow: SQLRow {
    let statement: OpaquePointer

    func value(_ column: Int) -> SQLValue {
        switch type(column) {
        case SQLITE_INTEGER: .integer(sqlite3_column_int64(statement, Int32(column)))
        case SQLITE_FLOAT: .real(sqlite3_column_double(statement, Int32(column)))
        case SQLITE_TEXT: .text(readText(column))
        case SQLITE_BLOB: .blob(readBlob(column))
        default: .null
        }
    }

    func integer(_ column: Int) throws(StorageError) -> Int64 {
        try expect(SQLITE_INTEGER, column, "integer")
        return sqlite3_column_int64(statement, Int32(column))
    }

    func text(_ column: Int) throws(StorageError) -> String {
        try expect(SQLITE_TEXT, column, "text")
        return readText(column)
    }

    func blob(_ column: Int) throws(StorageError) -> [UInt8] {
        try expect(SQLITE_BLOB, column, "blob")
        return readBlob(column)
    }

    func isNull(_ column: Int) -> Bool { type(column) == SQLITE_NULL }

    /// A column that does not exist has type NULL.
    private func type(_ column: Int) -> Int32 { sqlite3_column_type(statement, Int32(column)) }

    private func expect(_ type: Int32, _ column: Int, _ name: String) throws(StorageError) {
        guard self.type(column) == type else {
            throw .misuse(reason: "column \(column) of \(String(cString: sqlite3_sql(statement))) holds no \(name)")
        }
    }

    private func readText(_ column: Int) -> String {
        guard let text = sqlite3_column_text(statement, Int32(column)) else { return "" }
        return String(
            decoding: UnsafeBufferPointer(start: text, count: Int(sqlite3_column_bytes(statement, Int32(column)))), as: UTF8.self)
    }

    private func readBlob(_ column: Int) -> [UInt8] {
        // The pointer of an empty blob is null.
        guard let bytes = sqlite3_column_blob(statement, Int32(column)) else { return [] }
        return Array(UnsafeRawBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(statement, Int32(column)))))
    }
}
