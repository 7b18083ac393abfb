import NIOHPACK

/// What of a connection's responses goes into the dynamic table of its client (RFC 7541 §2.3.2), and is a byte or two from then on: in
/// Huffman's code, names and values that never change were a tenth of what a small request cost.
///
/// NIO's encoder lets the client choose the size of that table, up to 4 GiB, and looks through it field by field: hence a bound of our own.
struct HTTP2FieldIndex {
    /// Entries that a connection makes.
    static let capacity = 32
    /// Of a value, in bytes.
    static let longestValue = 128

    private var entries: [(field: Int, value: String)] = []
    private let capacity: Int

    /// - Parameter capacity: 0 for fields of which none goes into the table.
    init(capacity: Int = Self.capacity) { self.capacity = capacity }

    /// How a field is to be sent. It is taken for sent.
    mutating func indexing(of field: HTTP2KnownField, _ value: String) -> HPACKIndexing {
        switch field.treatment {
        case .leftOut: return .nonIndexable
        case .neverIndexed: return .neverIndexed
        // Strings are equal, here and in NIO's table, whose octets are not: U+037E is a semicolon to them.
        case .indexed where !value.utf8.allSatisfy({ $0 < 0x80 }): return .nonIndexable
        case .indexed:
            for entry in entries where entry.field == field.number && entry.value == value { return .indexable }
        case .indexedByName:
            for entry in entries where entry.field == field.number { return .nonIndexable }
        }
        guard entries.count < capacity, value.utf8.count <= Self.longestValue else { return .nonIndexable }
        entries.append((field.number, value))
        return .indexable
    }
}
