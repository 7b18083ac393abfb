/// Where and why a text is not JSON. `line` and `column` count from one; a column is a byte.
package struct JSONSyntaxError: Error, Hashable, Sendable, CustomStringConvertible {
    package var line: Int
    package var column: Int
    package var message: String

    package var description: String { "\(message) at line \(line), column \(column)" }
}

extension JSON {
    /// Arrays and objects within each other: more than any client of ours sends, far less than the stack bears.
    package static let maximumDepth = 64

    /// Reads one JSON text, with nothing but white space around it (RFC 8259).
    ///
    /// Stricter than the RFC demands, as I-JSON (RFC 7493) is: a name may occur once in an object, text must be UTF-8, surrogates
    /// must come in pairs, and numbers must be finite.
    package init(parsing bytes: some Collection<UInt8>) throws(JSONSyntaxError) {
        let result: Result<JSON, JSONSyntaxError>? = bytes.withContiguousStorageIfAvailable { Self.parse($0) }
        let parsed = result ?? Array(bytes).withUnsafeBufferPointer { Self.parse($0) }
        self = try parsed.get()
    }

    private static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> Result<JSON, JSONSyntaxError> {
        var parser = JSONParser(bytes: bytes)
        do throws(JSONParser.Fault) {
            return .success(try parser.document())
        } catch {
            let before = bytes[..<min(error.place, bytes.count)]
            let line = before.count { $0 == UInt8(ascii: "\n") } + 1
            let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
            return .failure(JSONSyntaxError(line: line, column: error.place - start + 1, message: error.message))
        }
    }
}

private struct JSONParser {
    struct Fault: Error {
        var place: Int
        var message: String
    }

    let bytes: UnsafeBufferPointer<UInt8>
    var place = 0
    var depth = 0

    init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

    private func fault(_ message: String) -> Fault { Fault(place: place, message: message) }

    private func unexpected(_ wanted: String) -> Fault {
        guard let byte = next else { return fault("The text ends where \(wanted) was expected") }
        let shown = (0x21...0x7E).contains(byte) ? "'\(Character(UnicodeScalar(byte)))'" : "byte 0x\(Hex.encode([byte]))"
        return fault("Found \(shown) where \(wanted) was expected")
    }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { place += 1 }
    }

    mutating func document() throws(Fault) -> JSON {
        skipSpace()
        let value = try value()
        skipSpace()
        guard next == nil else { throw unexpected("the end of the text") }
        return value
    }

    private mutating func value() throws(Fault) -> JSON {
        switch next {
        case UInt8(ascii: "{"): return try nested { parser throws(Fault) in try parser.object() }
        case UInt8(ascii: "["): return try nested { parser throws(Fault) in try parser.array() }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case .some(UInt8(ascii: "-")), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): return try number()
        default: throw unexpected("a value")
        }
    }

    private mutating func nested(_ read: (inout JSONParser) throws(Fault) -> JSON) throws(Fault) -> JSON {
        guard depth < JSON.maximumDepth else { throw fault("More than \(JSON.maximumDepth) arrays and objects within each other") }
        depth += 1
        defer { depth -= 1 }
        return try read(&self)
    }

    private mutating func literal(_ word: StaticString, _ value: JSON) throws(Fault) -> JSON {
        let count = word.utf8CodeUnitCount
        guard place + count <= bytes.count, (0..<count).allSatisfy({ bytes[place + $0] == word.utf8Start[$0] }) else {
            throw unexpected("a value")
        }
        place += count
        return value
    }

    private mutating func array() throws(Fault) -> JSON {
        place += 1
        var elements: [JSON] = []
        skipSpace()
        if next == UInt8(ascii: "]") {
            place += 1
            return .array(elements)
        }
        while true {
            skipSpace()
            elements.append(try value())
            skipSpace()
            switch next {
            case UInt8(ascii: ","): place += 1
            case UInt8(ascii: "]"):
                place += 1
                return .array(elements)
            default: throw unexpected("',' or ']'")
            }
        }
    }

    private mutating func object() throws(Fault) -> JSON {
        place += 1
        var members: [JSON.Member] = []
        var names: Set<String> = []
        skipSpace()
        if next == UInt8(ascii: "}") {
            place += 1
            return .object(members)
        }
        while true {
            skipSpace()
            let start = place
            guard next == UInt8(ascii: "\"") else { throw unexpected("a name in quotation marks") }
            let name = try string()
            guard names.insert(name).inserted else { throw Fault(place: start, message: "A name occurs twice in one object") }
            skipSpace()
            guard next == UInt8(ascii: ":") else { throw unexpected("':'") }
            place += 1
            skipSpace()
            members.append(JSON.Member(name, try value()))
            skipSpace()
            switch next {
            case UInt8(ascii: ","): place += 1
            case UInt8(ascii: "}"):
                place += 1
                return .object(members)
            default: throw unexpected("',' or '}'")
            }
        }
    }

    private mutating func number() throws(Fault) -> JSON {
        let start = place
        if next == UInt8(ascii: "-") { place += 1 }
        if next == UInt8(ascii: "0") { place += 1 } else { try digits() }
        var whole = true
        if next == UInt8(ascii: ".") {
            whole = false
            place += 1
            try digits()
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            whole = false
            place += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { place += 1 }
            try digits()
        }
        let text = String(decoding: bytes[start..<place], as: UTF8.self)
        if whole, let integer = Int64(text) { return .integer(integer) }
        guard let number = Double(text), number.isFinite else { throw Fault(place: start, message: "A number is too large") }
        return .number(number)
    }

    private mutating func digits() throws(Fault) {
        let start = place
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { place += 1 }
        guard place > start else { throw unexpected("a digit") }
    }

    private mutating func string() throws(Fault) -> String {
        place += 1
        let start = place
        // Nearly every string has no escape: it is taken as one piece.
        while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { place += 1 }
        if next == UInt8(ascii: "\"") {
            defer { place += 1 }
            return try text(bytes[start..<place], from: start)
        }
        var unescaped = Array(bytes[start..<place])
        while true {
            guard let byte = next else { throw fault("The text ends inside a string") }
            switch byte {
            case UInt8(ascii: "\""):
                defer { place += 1 }
                return try text(unescaped[...], from: start)
            case UInt8(ascii: "\\"):
                place += 1
                try escape(into: &unescaped)
            case 0..<0x20: throw fault("A control character in a string must be escaped")
            default:
                unescaped.append(byte)
                place += 1
            }
        }
    }

    private func text(_ content: some Collection<UInt8>, from start: Int) throws(Fault) -> String {
        guard let text = String(validating: content, as: UTF8.self) else { throw Fault(place: start, message: "A string is not UTF-8") }
        return text
    }

    private mutating func escape(into bytes: inout [UInt8]) throws(Fault) {
        guard let byte = next else { throw fault("The text ends inside a string") }
        place += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(byte)
        case UInt8(ascii: "b"): bytes.append(0x08)
        case UInt8(ascii: "f"): bytes.append(0x0C)
        case UInt8(ascii: "n"): bytes.append(0x0A)
        case UInt8(ascii: "r"): bytes.append(0x0D)
        case UInt8(ascii: "t"): bytes.append(0x09)
        case UInt8(ascii: "u"):
            let first = try codeUnit()
            var scalar = UInt32(first)
            if (0xD800..<0xDC00).contains(first) {
                guard next == UInt8(ascii: "\\"), place + 1 < self.bytes.count, self.bytes[place + 1] == UInt8(ascii: "u") else {
                    throw fault("Half a surrogate pair")
                }
                place += 2
                let second = try codeUnit()
                guard (0xDC00..<0xE000).contains(second) else { throw fault("Half a surrogate pair") }
                scalar = 0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00)
            }
            guard let character = UnicodeScalar(scalar) else { throw fault("Half a surrogate pair") }
            bytes.append(contentsOf: String(Character(character)).utf8)
        default:
            place -= 1
            throw unexpected("an escape such as \\n or \\u00e9")
        }
    }

    private mutating func codeUnit() throws(Fault) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Hex.value(of: byte) else { throw unexpected("four hexadecimal digits") }
            unit = unit << 4 | UInt16(digit)
            place += 1
        }
        return unit
    }
}
