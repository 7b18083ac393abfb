/// A `.env` file: `NAME=value` lines, as shells and other tools read them.
///
/// `export` in front of a name is allowed; `#` begins a comment on a line of its own or after a space; values in single quotes
/// are taken literally, values in double quotes know `\n`, `\r`, `\t`, `\\`, `\"` and `\$`, and either may span lines. Nothing is
/// expanded: a `$` is a dollar.
struct EnvironmentFile {
    struct Entry: Equatable {
        var name: String
        var value: String
        var line: Int
    }

    private(set) var entries: [Entry] = []
    private(set) var faults: [ConfigurationFault] = []

    private let file: String
    private var rest: Substring.UnicodeScalarView
    private var line = 1

    init(_ text: String, file: String) {
        self.file = file
        rest = text[...].unicodeScalars
        if rest.first == "\u{FEFF}" { rest.removeFirst() }
        while !rest.isEmpty { readLine() }
    }

    private mutating func readLine() {
        skipBlanks()
        guard let first = rest.first else { return }
        if first == "#" || first.isLineEnd {
            skipLine()
            return
        }
        var name = readName()
        if name == "export", rest.first?.isBlank == true {
            skipBlanks()
            name = readName()
        }
        skipBlanks()
        let start = line
        guard rest.first == "=" else {
            // Not named: the line may be a stray piece of a secret.
            fault("", "is no NAME=value line", cure: "write NAME=value, or begin the line with # if it is a comment")
            skipLine()
            return
        }
        rest.removeFirst()
        guard !name.isEmpty, !("0"..."9").contains(name.unicodeScalars.first!) else {
            fault(name, "has no name that a variable can have", cure: "use letters, digits and _, and no digit in front")
            skipLine()
            return
        }
        guard let value = readValue(of: name) else {
            skipLine()
            return
        }
        if let earlier = entries.first(where: { $0.name == name }) {
            faults.append(
                ConfigurationFault(
                    .environmentFile(file, line: start, variable: name), "is set twice", cure: "remove it here or on line \(earlier.line)"))
        } else {
            entries.append(Entry(name: name, value: value, line: start))
        }
    }

    private mutating func readName() -> String {
        var name = String.UnicodeScalarView()
        while let next = rest.first, next.isNamePart {
            name.append(next)
            rest.removeFirst()
        }
        return String(name)
    }

    private mutating func readValue(of name: String) -> String? {
        skipBlanks()
        var value = String.UnicodeScalarView()
        guard let quote = rest.first, quote == "\"" || quote == "'" else {
            var previous: Unicode.Scalar = " "
            while let next = rest.first, !next.isLineEnd, !(next == "#" && previous.isBlank) {
                guard next.value != 0 else {
                    fault(name, "holds a NUL character", cure: "remove it")
                    return nil
                }
                value.append(next)
                previous = next
                rest.removeFirst()
            }
            skipLine()
            return trimmed(String(value))
        }
        let start = line
        rest.removeFirst()
        while let next = rest.popFirst() {
            if next == quote {
                skipBlanks()
                if let after = rest.first, !after.isLineEnd, after != "#" {
                    fault(name, "has text after the closing quote", cure: "put all of the value inside the quotes", line: start)
                    return nil
                }
                skipLine()
                return String(value)
            }
            if next == "\n" { line += 1 }
            guard next == "\\", quote == "\"" else {
                guard next.value != 0 else {
                    fault(name, "holds a NUL character", cure: "remove it", line: start)
                    return nil
                }
                value.append(next)
                continue
            }
            switch rest.popFirst() {
            case "n": value.append("\n")
            case "r": value.append("\r")
            case "t": value.append("\t")
            case let escaped? where ["\\", "\"", "$", "'", "`"].contains(escaped): value.append(escaped)
            default:
                fault(name, "has an unknown escape in double quotes", cure: "write \\\\ for a backslash, or use single quotes", line: start)
                skipToQuote(quote)
                return nil
            }
        }
        fault(name, "has a quote that is never closed", cure: "close it, or leave both quotes out", line: start)
        return nil
    }

    private mutating func fault(_ name: String, _ problem: String, cure: String, line: Int? = nil) {
        let place =
            name.isEmpty
            ? ConfigurationPlace.file(file, line: line ?? self.line, column: 1)
            : .environmentFile(file, line: line ?? self.line, variable: name)
        faults.append(ConfigurationFault(place, problem, cure: cure))
    }

    /// After an unreadable value: its rest is not read as further lines, which would only make more faults.
    private mutating func skipToQuote(_ quote: Unicode.Scalar) {
        while let next = rest.popFirst(), next != quote {
            if next == "\n" { line += 1 }
        }
    }

    private mutating func skipBlanks() {
        while let next = rest.first, next.isBlank { rest.removeFirst() }
    }

    private mutating func skipLine() {
        while let next = rest.popFirst() {
            if next == "\n" || next == "\r" && rest.first != "\n" {
                line += 1
                return
            }
        }
    }
}

extension Unicode.Scalar {
    fileprivate var isBlank: Bool { self == " " || self == "\t" }
    fileprivate var isLineEnd: Bool { self == "\n" || self == "\r" }
    fileprivate var isNamePart: Bool {
        ("a"..."z").contains(self) || ("A"..."Z").contains(self) || ("0"..."9").contains(self) || self == "_"
    }
}
