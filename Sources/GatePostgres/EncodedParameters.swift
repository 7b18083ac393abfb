import CPostgres
import GateSQL

/// Values as Postgres's binary format has them, with the type that each is said to have.
///
/// The type follows from the value and not from what the statement does with it, so that a number is never read as a text or the reverse. A
/// null has none: the statement says what is meant.
struct EncodedParameters {
    private(set) var types: [Oid] = []
    private var bytes: [UInt8] = []
    /// Where each begins; `nil` for a null.
    private var offsets: [Int?] = []
    private var lengths: [Int32] = []

    init(_ values: [any SQLBindable]) {
        types.reserveCapacity(values.count)
        offsets.reserveCapacity(values.count)
        lengths.reserveCapacity(values.count)
        for value in values { append(value.sqlValue) }
    }

    var count: Int { types.count }

    /// Three bits for each type: with the statement's text it tells one prepared statement from another. `nil` for more than 21.
    var signature: UInt64? {
        guard types.count <= 21 else { return nil }
        return types.reduce(UInt64(1)) { signature, type -> UInt64 in
            let code: UInt64 =
                switch Int(type) {
                case GATE_OID_INT8: 1
                case GATE_OID_TEXT: 2
                case GATE_OID_BYTEA: 3
                case GATE_OID_FLOAT8: 4
                default: 0
                }
            return signature << 3 | code
        }
    }

    private mutating func append(_ value: SQLValue) {
        let start = bytes.count
        switch value {
        case .null: types.append(0)
        case .integer(let value):
            types.append(Oid(GATE_OID_INT8))
            append(bigEndian: UInt64(bitPattern: value))
        case .real(let value):
            types.append(Oid(GATE_OID_FLOAT8))
            append(bigEndian: value.bitPattern)
        case .text(let text):
            types.append(Oid(GATE_OID_TEXT))
            bytes += text.utf8
        case .blob(let blob):
            types.append(Oid(GATE_OID_BYTEA))
            bytes += blob
        }
        offsets.append(value == .null ? nil : start)
        lengths.append(Int32(clamping: bytes.count - start))
    }

    private mutating func append(bigEndian word: UInt64) {
        for shift in stride(from: UInt64(56), through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
    }

    /// Lends them as libpq takes them.
    func withPointers<Result>(
        _ body: (_ values: [UnsafePointer<CChar>?], _ lengths: [Int32], _ formats: [Int32]) -> Result
    ) -> Result {
        // An empty value needs an address too: NULL would be a null.
        let formats = [Int32](repeating: 1, count: types.count)
        return (bytes + [0]).withUnsafeBytes { bytes in
            let base = bytes.bindMemory(to: CChar.self).baseAddress!
            return body(offsets.map { $0.map { base + $0 } }, lengths, formats)
        }
    }
}
