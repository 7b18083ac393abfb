/// Statements are written with SQLite's parameters `?1`, `?2`, …; Postgres wants `$1`, `$2`, …
///
/// (`$1` would be read by SQLite too, but as a name: it numbers those by where they first appear.)
struct ParameterSyntax {
    /// The statement as Postgres wants it.
    private(set) var text: [UInt8] = []
    /// The highest parameter.
    private(set) var count = 0

    private let source: [UInt8]
    private var position = 0

    /// What stands in quotes and comments stays as it is (PostgreSQL manual, §4.1).
    init(_ source: some Sequence<UInt8>) {
        self.source = Array(source)
        text.reserveCapacity(self.source.count)
        while position < self.source.count { step() }
    }

    private func peek(_ offset: Int = 0) -> UInt8? { position + offset < source.count ? source[position + offset] : nil }

    private mutating func copy(_ count: Int = 1) {
        let end = min(position + count, source.count)
        text += source[position..<end]
        position = end
    }

    private mutating func step() {
        switch source[position] {
        case UInt8(ascii: "'"): copyQuoted(UInt8(ascii: "'"), escapes: followsEscapePrefix)
        case UInt8(ascii: "\""): copyQuoted(UInt8(ascii: "\""), escapes: false)
        case UInt8(ascii: "-") where peek(1) == UInt8(ascii: "-"):
            while let byte = peek(), byte != UInt8(ascii: "\n") { copy() }
        case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"): copyComment()
        case UInt8(ascii: "$"): copyDollar()
        case UInt8(ascii: "?"): replace()
        default: copy()
        }
    }

    /// Whether a text literal is written `E'…'`, in which a backslash escapes.
    private var followsEscapePrefix: Bool {
        guard position > 0, source[position - 1] | 0x20 == UInt8(ascii: "e") else { return false }
        return position == 1 || !Self.isName(source[position - 2])
    }

    private mutating func copyQuoted(_ quote: UInt8, escapes: Bool) {
        copy()
        while let byte = peek() {
            if escapes, byte == UInt8(ascii: "\\") {
                copy(2)
            } else {
                // A doubled quote ends one literal and begins the next, which comes to the same.
                copy()
                if byte == quote { return }
            }
        }
    }

    /// Comments nest in SQL, unlike in C.
    private mutating func copyComment() {
        var depth = 0
        while let byte = peek() {
            if byte == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*") {
                depth += 1
                copy(2)
            } else if byte == UInt8(ascii: "*"), peek(1) == UInt8(ascii: "/") {
                depth -= 1
                copy(2)
                if depth == 0 { return }
            } else {
                copy()
            }
        }
    }

    /// `$tag$ … $tag$`, or a dollar that begins nothing.
    private mutating func copyDollar() {
        var end = position + 1
        while end < source.count, Self.isName(source[end]) { end += 1 }
        let inName = position > 0 && Self.isName(source[position - 1])
        guard !inName, end < source.count, source[end] == UInt8(ascii: "$"), !Self.isDigit(source[position + 1]) else { return copy() }
        let tag = source[position...end]
        copy(tag.count)
        while position < source.count {
            if source[position...].starts(with: tag) { return copy(tag.count) }
            copy()
        }
    }

    private mutating func replace() {
        var end = position + 1
        var number = 0
        while end < source.count, Self.isDigit(source[end]), number < 100_000 {
            number = number * 10 + Int(source[end] - 0x30)
            end += 1
        }
        guard end > position + 1 else { return copy() }
        text.append(UInt8(ascii: "$"))
        text += source[(position + 1)..<end]
        position = end
        count = max(count, number)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func isName(_ byte: UInt8) -> Bool {
        isDigit(byte) || byte == UInt8(ascii: "_") || byte >= 0x80 || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}
