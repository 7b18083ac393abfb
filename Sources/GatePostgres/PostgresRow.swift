import CPostgres
import GateCore
import GateSQL

/// One row of a result whose values are in Postgres's binary format.
struct PostgresRow: SQLRow {
    let result: PostgresResult
    let row: Int32

    func value(_ column: Int) -> SQLValue {
        guard !isNull(column) else { return .null }
        switch kind(column) {
        case .integer: return .integer(readInteger(column))
        case .real: return .real(Double(bitPattern: UInt64(bitPattern: readInteger(column))))
        case .text: return .text(String(decoding: octets(column), as: UTF8.self))
        case .blob, .other: return .blob(Array(octets(column)))
        }
    }

    func integer(_ column: Int) throws(StorageError) -> Int64 {
        try expect(.integer, column, "integer")
        return readInteger(column)
    }

    func text(_ column: Int) throws(StorageError) -> String {
        try expect(.text, column, "text")
        return String(decoding: octets(column), as: UTF8.self)
    }

    func blob(_ column: Int) throws(StorageError) -> [UInt8] {
        try expect(.blob, column, "blob")
        return Array(octets(column))
    }

    /// A column that does not exist is null.
    func isNull(_ column: Int) -> Bool {
        guard column < Int(result.functions.pointee.nfields(result.pointer)) else { return true }
        return result.functions.pointee.getisnull(result.pointer, row, Int32(column)) != 0
    }

    private enum Kind { case integer, real, text, blob, other }

    private func kind(_ column: Int) -> Kind {
        switch Int(result.functions.pointee.ftype(result.pointer, Int32(column))) {
        case GATE_OID_INT8, GATE_OID_INT4, GATE_OID_INT2, GATE_OID_BOOL: .integer
        case GATE_OID_FLOAT8: .real
        case GATE_OID_TEXT, GATE_OID_VARCHAR, GATE_OID_NAME: .text
        case GATE_OID_BYTEA: .blob
        default: .other
        }
    }

    private func expect(_ kind: Kind, _ column: Int, _ name: String) throws(StorageError) {
        guard !isNull(column), self.kind(column) == kind else { throw .misuse(reason: "column \(column) holds no \(name)") }
    }

    /// Two's complement of 1, 2, 4 or 8 bytes, big-endian. A truth value is one byte, zero or one.
    private func readInteger(_ column: Int) -> Int64 {
        let octets = octets(column)
        guard let first = octets.first else { return 0 }
        return octets.dropFirst().reduce(Int64(Int8(bitPattern: first))) { $0 << 8 | Int64($1) }
    }

    /// Good as long as the result.
    private func octets(_ column: Int) -> UnsafeBufferPointer<UInt8> {
        let length = Int(result.functions.pointee.getlength(result.pointer, row, Int32(column)))
        let start = UnsafeRawPointer(result.functions.pointee.getvalue(result.pointer, row, Int32(column)))
        return UnsafeBufferPointer(start: start.assumingMemoryBound(to: UInt8.self), count: length)
    }
}
