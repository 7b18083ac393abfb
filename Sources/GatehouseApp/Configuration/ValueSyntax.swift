import GateCore

/// A value as a source gave it, before its key reads it.
enum RawValue: Hashable, Sendable {
    /// From the environment, an environment file, a credential or a flag: every type is written as text there.
    case text(String)
    case string(String)
    case integer(Int64)
    case bool(Bool)
    case array([RawValue])
    case table([Field])
    /// What no key takes: a date, a floating-point number, a list of tables.
    case other(kind: String)

    struct Field: Hashable, Sendable {
        var name: String
        var value: RawValue
    }

    var kind: String {
        switch self {
        case .text, .string: "a text"
        case .integer: "a number"
        case .bool: "true or false"
        case .array: "a list"
        case .table: "a table"
        case .other(let kind): kind
        }
    }

    /// A text in quotes, followed by a space; nothing for the rest.
    var quoted: String {
        switch self {
        case .text(let text), .string(let text): "\"\(text)\" "
        default: ""
        }
    }
}

/// A value as it is written back: by `check`, in the reference and in `.env.example`.
enum Literal: Hashable, Sendable {
    case quoted(String)
    case bare(String)
    case list([String])
    case table([Field])

    struct Field: Hashable, Sendable {
        var name: String
        var value: String
    }

    /// As TOML writes it.
    var toml: String {
        switch self {
        case .quoted(let text): Self.quote(text)
        case .bare(let text): text
        case .list(let texts): "[" + texts.map(Self.quote).joined(separator: ", ") + "]"
        case .table(let fields): "{" + fields.map { " \(Self.quote($0.name)) = \(Self.quote($0.value))" }.joined(separator: ",") + " }"
        }
    }

    /// As an environment variable holds it.
    var environment: String {
        switch self {
        case .quoted(let text), .bare(let text): text
        case .list(let texts): texts.joined(separator: ",")
        case .table(let fields): fields.map { "\($0.name)=\($0.value)" }.joined(separator: ",")
        }
    }

    private static func quote(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F: quoted += "\\u00" + Hex.encode([UInt8(scalar.value)])
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

/// How values of one type are written and read.
struct ValueSyntax<Value: Sendable>: Sendable {
    /// For the reference: "duration", "list of networks".
    let kind: String
    let read: @Sendable (RawValue) throws(InvalidValue) -> Value
    let write: @Sendable (Value) -> Literal?

    /// A value that is written as one text.
    static func text(
        _ kind: String, example: String, parse: @escaping @Sendable (String) throws(InvalidValue) -> Value,
        print: @escaping @Sendable (Value) -> String
    ) -> ValueSyntax {
        ValueSyntax(kind: kind) { raw throws(InvalidValue) in
            switch raw {
            case .text(let text), .string(let text): return try parse(text)
            default: throw InvalidValue("is \(raw.kind), where a \(kind) is expected", cure: "write it in quotes, such as \"\(example)\"")
            }
        } write: {
            .quoted(print($0))
        }
    }

    /// A list: an array in TOML, separated by commas elsewhere. One value alone counts as a list of one.
    static func list<Element: Sendable>(of element: ValueSyntax<Element>) -> ValueSyntax where Value == [Element] {
        ValueSyntax(kind: "list, each a \(element.kind)") { raw throws(InvalidValue) in
            let parts: [RawValue]
            switch raw {
            case .array(let array): parts = array
            case .text(let text): parts = text.split(separator: ",").map { trimmed($0) }.filter { !$0.isEmpty }.map { .text($0) }
            default: parts = [raw]
            }
            var values: [Element] = []
            for part in parts {
                do throws(InvalidValue) {
                    values.append(try element.read(part))
                } catch {
                    // One entry among several has to be named.
                    throw parts.count > 1 ? InvalidValue(part.quoted + error.problem, cure: error.cure) : error
                }
            }
            return values
        } write: { values in
            .list(values.compactMap { element.write($0)?.environment })
        }
    }

    /// An empty text, or the key's absence, is `nil`.
    static func optional<Wrapped: Sendable>(_ wrapped: ValueSyntax<Wrapped>) -> ValueSyntax where Value == Wrapped? {
        ValueSyntax(kind: wrapped.kind) { raw throws(InvalidValue) in
            raw == .text("") || raw == .string("") ? nil : try wrapped.read(raw)
        } write: { value in
            value.flatMap(wrapped.write)
        }
    }

    /// Reads as this does, and then asks `rule`, which throws what is wrong.
    func checked(_ rule: @escaping @Sendable (Value) throws(InvalidValue) -> Void) -> ValueSyntax {
        ValueSyntax(kind: kind) { raw throws(InvalidValue) in
            let value = try read(raw)
            try rule(value)
            return value
        } write: {
            self.write($0)
        }
    }
}

extension ValueSyntax where Value == Duration {
    static func duration(_ range: ClosedRange<Duration>) -> ValueSyntax {
        .text("duration", example: "15m") { text throws(InvalidValue) in
            guard let value = Duration(text: text) else {
                throw InvalidValue("\"\(text)\" is no duration", cure: "write a number and a unit (ms, s, m, h, d), such as 30s or 15m")
            }
            guard range.contains(value) else {
                throw InvalidValue(
                    "\(value.text) is out of range", cure: "choose from \(range.lowerBound.text) to \(range.upperBound.text)")
            }
            return value
        } print: {
            $0.text
        }
    }
}

extension ValueSyntax where Value == ByteSize {
    static func byteSize(_ range: ClosedRange<ByteSize>) -> ValueSyntax {
        ValueSyntax(kind: "size") { raw throws(InvalidValue) in
            let value: ByteSize
            switch raw {
            case .integer(let count) where count >= 0: value = ByteSize(bytes: Int(count))
            case .text(let text), .string(let text):
                guard let size = ByteSize(text: text) else {
                    throw InvalidValue("\"\(text)\" is no size", cure: "write a number and a unit (B, KiB, MiB, GiB), such as 64KiB")
                }
                value = size
            default: throw InvalidValue("is \(raw.kind), where a size is expected", cure: "write it as in \"64KiB\"")
            }
            guard range.contains(value) else {
                throw InvalidValue("\(value) is out of range", cure: "choose from \(range.lowerBound) to \(range.upperBound)")
            }
            return value
        } write: {
            .quoted($0.description)
        }
    }
}

extension ValueSyntax where Value == Int {
    static func integer(_ range: ClosedRange<Int>) -> ValueSyntax {
        ValueSyntax(kind: "number") { raw throws(InvalidValue) in
            let value: Int
            switch raw {
            case .integer(let number): value = Int(number)
            case .text(let text):
                guard let number = Int(text) else {
                    throw InvalidValue("\"\(text)\" is no whole number", cure: "choose from \(range.lowerBound) to \(range.upperBound)")
                }
                value = number
            default: throw InvalidValue("is \(raw.kind), where a number is expected", cure: "write it without quotes")
            }
            guard range.contains(value) else {
                throw InvalidValue("\(value) is out of range", cure: "choose from \(range.lowerBound) to \(range.upperBound)")
            }
            return value
        } write: {
            .bare(String($0))
        }
    }
}

extension ValueSyntax where Value == Bool {
    static var bool: ValueSyntax {
        ValueSyntax(kind: "true or false") { raw throws(InvalidValue) in
            switch raw {
            case .bool(let value): return value
            case .text("true"), .text("1"): return true
            case .text("false"), .text("0"): return false
            case .text(let text): throw InvalidValue("\"\(text)\" is neither true nor false", cure: "write true or false")
            default: throw InvalidValue("is \(raw.kind), where true or false is expected", cure: "write it without quotes")
            }
        } write: {
            .bare(String($0))
        }
    }
}

extension ValueSyntax where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of a few words. `later` are those that a coming version will know.
    static func choice(later: [String] = []) -> ValueSyntax {
        let names = Value.allCases.map(\.rawValue)
        return .text("word", example: names[0]) { text throws(InvalidValue) in
            if let value = Value(rawValue: text) ?? Value.allCases.first(where: { $0.rawValue.lowercased() == text.lowercased() }) {
                return value
            }
            let cure = names.count == 1 ? "write \(names[0])" : "choose one of \(names.joined(separator: ", "))"
            if later.contains(text) { throw InvalidValue("\"\(text)\" is not available in this version", cure: cure) }
            if let near = nearestName(to: text, among: names) {
                throw InvalidValue("\"\(text)\" is not known", cure: "did you mean \(near)?")
            }
            throw InvalidValue("\"\(text)\" is not known", cure: cure)
        } print: {
            $0.rawValue
        }
    }
}

func trimmed(_ text: some StringProtocol) -> String {
    String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
}
