/// What a connection knows of the statements that it runs: their text as Postgres wants it, and those that are prepared on it under a name.
struct PreparedStatements {
    /// A statement as Postgres wants it, with its end.
    struct Text {
        var bytes: [CChar]
        var parameters: Int
        fileprivate var hash: UInt64
    }

    struct Key: Hashable {
        fileprivate var text: UInt
        fileprivate var signature: UInt64
    }

    private var names: [Key: String] = [:]
    /// By the address of the source's text.
    private var texts: [UInt: Text] = [:]
    private var beginnings: Set<String> = []

    mutating func text(of sql: StaticString) -> Text {
        let address = UInt(bitPattern: sql.utf8Start)
        if let text = texts[address] { return text }
        let syntax = ParameterSyntax(UnsafeBufferPointer(start: sql.utf8Start, count: sql.utf8CodeUnitCount))
        let text = Text(bytes: syntax.text.map { CChar(bitPattern: $0) } + [0], parameters: syntax.count, hash: Self.hash(syntax.text))
        texts[address] = text
        return text
    }

    static func key(_ sql: StaticString, _ signature: UInt64) -> Key { Key(text: UInt(bitPattern: sql.utf8Start), signature: signature) }

    /// The same for the same text, wherever it stands: behind a pooler that does not keep clients apart, two statements of one name must be the
    /// same.
    static func name(_ text: Text, _ signature: UInt64) -> String { "gate_\(String(text.hash, radix: 16))_\(String(signature, radix: 16))" }

    static func name(_ text: String) -> String { "gate_\(String(hash(Array(text.utf8)), radix: 16))" }

    func name(_ key: Key) -> String? { names[key] }
    mutating func note(_ name: String, for key: Key) { names[key] = name }

    func isPrepared(_ beginning: TransactionBeginning) -> Bool { beginnings.contains(beginning.name) }
    mutating func note(_ beginning: TransactionBeginning) { beginnings.insert(beginning.name) }

    /// FNV-1a, 64 bits (RFC 9923).
    private static func hash(_ bytes: [UInt8]) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
    }
}
