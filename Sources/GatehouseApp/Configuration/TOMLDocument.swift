/// A place in a text file: line and column count from 1, columns in Unicode scalars.
struct TextPosition: Hashable {
    var line: Int
    var column: Int
}

/// A table of a TOML document, with the place of each key.
final class TOMLTable {
    enum Origin {
        /// Made on the way to a table further down: `[a.b]` makes `a`.
        case implied
        case header
        /// Made by a dotted key: `a.b = 1` makes `a`.
        case dotted
        /// `{ … }`: closed where it ends.
        case inline
    }

    struct Member {
        var name: String
        var value: TOMLValue
        var position: TextPosition
    }

    var origin: Origin
    /// In the order of the document.
    private(set) var members: [Member] = []
    private var places: [String: Int] = [:]

    init(_ origin: Origin) { self.origin = origin }

    subscript(name: String) -> TOMLValue? { places[name].map { members[$0].value } }

    /// Adds a member, or replaces the value of one that is there.
    func set(_ name: String, _ value: TOMLValue, at position: TextPosition) {
        if let place = places[name] {
            members[place].value = value
        } else {
            places[name] = members.count
            members.append(Member(name: name, value: value, position: position))
        }
    }
}

enum TOMLValue {
    /// A text, number or truth; what no setting takes (dates, fractions) is known by its kind only.
    case scalar(RawValue)
    case array([TOMLValue])
    case table(TOMLTable)
    /// `[[name]]`, once and more.
    case tables([TOMLTable])
}

/// What is wrong with a document, and where.
struct TOMLSyntaxError: Error, Hashable {
    var position: TextPosition
    var problem: String
    var cure: String
}

/// A TOML 1.0.0 document (toml.io/en/v1.0.0), read with the place of each key.
///
/// Written because the one library at hand (TOMLKit 0.6, on toml++ 2.5) does not tell where a key stands, cuts texts at NUL and
/// ends the process by a failed assertion on some malformed documents. Dates and fractions are recognised, not evaluated: no setting
/// has these types.
struct TOMLDocument {
    let root = TOMLTable(.header)
    /// Every statement that could not be read; reading goes on with the next line where that is possible.
    private(set) var errors: [TOMLSyntaxError] = []

    init(_ text: String) {
        var scanner = TOMLScanner(text)
        var current = root
        while true {
            do throws(TOMLSyntaxError) {
                scanner.skipBlankLines()
                guard let next = scanner.peek else { return }
                if next == "[" {
                    current = try readHeader(&scanner)
                } else {
                    try TOMLStatement.readAssignment(&scanner, into: current, depth: 0)
                }
                try scanner.endLine()
            } catch {
                errors.append(error)
                // Inside brackets or a long string, the following lines are no statements.
                guard scanner.nesting == 0, errors.count < 20 else { return }
                scanner.skipLine()
            }
        }
    }

    private func readHeader(_ scanner: inout TOMLScanner) throws(TOMLSyntaxError) -> TOMLTable {
        scanner.advance()
        let isArray = scanner.skip("[")
        let path = try scanner.readKey()
        guard scanner.skip("]"), !isArray || scanner.skip("]") else {
            throw scanner.error("the table's name is not closed", cure: isArray ? "end it with ]]" : "end it with ]")
        }
        var table = root
        for part in path.dropLast() {
            switch table[part.name] {
            case nil:
                let inner = TOMLTable(.implied)
                table.set(part.name, .table(inner), at: part.position)
                table = inner
            case .table(let inner) where inner.origin != .inline: table = inner
            case .tables(let list): table = list[list.count - 1]
            default: throw taken(part)
            }
        }
        let last = path[path.count - 1]
        switch (table[last.name], isArray) {
        case (nil, false):
            let inner = TOMLTable(.header)
            table.set(last.name, .table(inner), at: last.position)
            return inner
        case (.table(let inner), false) where inner.origin == .implied:
            inner.origin = .header
            return inner
        case (nil, true):
            let inner = TOMLTable(.header)
            table.set(last.name, .tables([inner]), at: last.position)
            return inner
        case (.tables(let list), true):
            let inner = TOMLTable(.header)
            table.set(last.name, .tables(list + [inner]), at: last.position)
            return inner
        default: throw taken(last)
        }
    }
}

/// `key = value`, in a document or an inline table.
enum TOMLStatement {
    static func readAssignment(_ scanner: inout TOMLScanner, into table: TOMLTable, depth: Int) throws(TOMLSyntaxError) {
        let path = try scanner.readKey()
        guard scanner.skip("=") else { throw scanner.error("a key without a value", cure: "write key = value") }
        scanner.skipBlanks()
        let value = try readValue(&scanner, depth: depth)
        var table = table
        for part in path.dropLast() {
            switch table[part.name] {
            case nil:
                let inner = TOMLTable(.dotted)
                table.set(part.name, .table(inner), at: part.position)
                table = inner
            case .table(let inner) where inner.origin == .dotted: table = inner
            default: throw taken(part)
            }
        }
        let last = path[path.count - 1]
        guard table[last.name] == nil else { throw taken(last) }
        table.set(last.name, value, at: last.position)
    }

    private static func readValue(_ scanner: inout TOMLScanner, depth: Int) throws(TOMLSyntaxError) -> TOMLValue {
        // Far beyond any use, far from the end of the stack.
        guard depth < 32 else { throw scanner.error("brackets nested too deeply", cure: "32 levels are the most") }
        switch scanner.peek {
        case "\"", "'": return .scalar(.string(try scanner.readString()))
        case "[": return try readArray(&scanner, depth: depth)
        case "{": return try readInlineTable(&scanner, depth: depth)
        default: return .scalar(try scanner.readBareValue())
        }
    }

    private static func readArray(_ scanner: inout TOMLScanner, depth: Int) throws(TOMLSyntaxError) -> TOMLValue {
        scanner.open()
        var elements: [TOMLValue] = []
        while true {
            scanner.skipBlankLines()
            if scanner.peek == "]" { break }
            elements.append(try readValue(&scanner, depth: depth + 1))
            scanner.skipBlankLines()
            guard scanner.skip(",") else { break }
        }
        try scanner.close("]", "the list is not closed")
        return .array(elements)
    }

    private static func readInlineTable(_ scanner: inout TOMLScanner, depth: Int) throws(TOMLSyntaxError) -> TOMLValue {
        scanner.open()
        let table = TOMLTable(.inline)
        scanner.skipBlanks()
        if scanner.peek != "}" {
            repeat {
                scanner.skipBlanks()
                try readAssignment(&scanner, into: table, depth: depth + 1)
                scanner.skipBlanks()
            } while scanner.skip(",")
        }
        try scanner.close("}", "the inline table is not closed")
        return .table(table)
    }
}

private func taken(_ part: TOMLScanner.KeyPart) -> TOMLSyntaxError {
    TOMLSyntaxError(position: part.position, problem: "\"\(part.name)\" is defined twice", cure: "remove one of the two")
}
