import CSQLite
import GateCore
import GateSQL

/// A prepared statement. Confined to its connection's thread.
final class SQLiteStatement {
    let pointer: OpaquePointer
    private let hasParameters: Bool
    let isReadOnly: Bool
    /// Whether it is being stepped: a query's row closure may run the same text again.
    var inUse = false

    /// - Parameter persistent: kept for long, so that it should not take from the connection's lookaside memory.
    init(_ text: UnsafeBufferPointer<UInt8>, persistent: Bool, on database: OpaquePointer, path: String) throws(StorageError) {
        var pointer: OpaquePointer?
        let code = text.withMemoryRebound(to: CChar.self) { text in
            sqlite3_prepare_v3(
                database, text.baseAddress, Int32(text.count), persistent ? UInt32(SQLITE_PREPARE_PERSISTENT) : 0, &pointer, nil)
        }
        try SQLiteCode.check(code, database, path: path)
        guard let pointer else { throw .misuse(reason: "an empty statement") }
        self.pointer = pointer
        hasParameters = sqlite3_bind_parameter_count(pointer) > 0
        isReadOnly = sqlite3_stmt_readonly(pointer) != 0
    }

    deinit { sqlite3_finalize(pointer) }

    /// - Returns: the code of the first parameter that could not be bound, or `SQLITE_OK`.
    func bind(_ parameters: [any SQLBindable]) -> Int32 {
        guard sqlite3_bind_parameter_count(pointer) == parameters.count else { return SQLITE_RANGE }
        for (index, parameter) in parameters.enumerated() {
            let code = bind(parameter.sqlValue, at: Int32(index + 1))
            guard code == SQLITE_OK else { return code }
        }
        return SQLITE_OK
    }

    private func bind(_ value: SQLValue, at index: Int32) -> Int32 {
        switch value {
        case .null: return sqlite3_bind_null(pointer, index)
        case .integer(let value): return sqlite3_bind_int64(pointer, index, value)
        case .real(let value): return sqlite3_bind_double(pointer, index, value)
        case .text(var text):
            return text.withUTF8 { bytes in
                guard bytes.count <= Int(Int32.max) else { return SQLITE_TOOBIG }
                return bytes.withMemoryRebound(to: CChar.self) {
                    gate_sqlite3_bind_text(pointer, index, $0.baseAddress, Int32($0.count))
                }
            }
        case .blob(let bytes):
            return bytes.withUnsafeBytes { bytes in
                guard bytes.count <= Int(Int32.max) else { return SQLITE_TOOBIG }
                return gate_sqlite3_bind_blob(pointer, index, bytes.baseAddress, Int32(bytes.count))
            }
        }
    }

    /// Makes it ready for the next run, and lets go of what was bound. The codes repeat those of the last step.
    func reset() {
        sqlite3_reset(pointer)
        if hasParameters { sqlite3_clear_bindings(pointer) }
    }
}
