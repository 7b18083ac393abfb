/// Reads the words of a TOML document: keys, strings, bare values, blanks and comments.
struct TOMLScanner {
    struct KeyPart {
        var name: String
        var position: TextPosition
    }

    private let text: [Unicode.Scalar]
    private var index = 0
    private var line = 1
    private var lineStart = 0
    /// How many brackets and long strings are open.
    private(set) var nesting = 0

    init(_ text: String) {
        self.text = Array(text.unicodeScalars)
        if self.text.first == "\u{FEFF}" {
            index = 1
            lineStart = 1
        }
    }

    var peek: Unicode.Scalar? { index < text.count ? text[index] : nil }
    var position: TextPosition { TextPosition(line: line, column: index - lineStart + 1) }

    func error(_ problem: String, cure: String) -> TOMLSyntaxError { TOMLSyntaxError(position: position, problem: problem, cure: cure) }

    mutating func advance() {
        if text[index] == "\n" {
            line += 1
            lineStart = index + 1
        }
        index += 1
    }

    mutating func skip(_ scalar: Unicode.Scalar) -> Bool {
        guard peek == scalar else { return false }
        advance()
        return true
    }

    mutating func open() {
        nesting += 1
        advance()
    }

    mutating func close(_ bracket: Unicode.Scalar, _ problem: String) throws(TOMLSyntaxError) {
        guard skip(bracket) else { throw error(problem, cure: "separate entries with commas, and end with \(bracket)") }
        nesting -= 1
    }

    // MARK: Blanks, comments, lines

    mutating func skipBlanks() { while peek == " " || peek == "\t" { advance() } }

    /// Blanks, line ends and comments.
    mutating func skipBlankLines() {
        while let next = peek {
            switch next {
            case " ", "\t", "\n": advance()
            case "\r" where isAtLineEnd: advance()
            case "#" where commentEnd != nil: index = commentEnd!
            default: return
            }
        }
    }

    /// What may follow a statement: blanks, a comment, the line's end.
    mutating func endLine() throws(TOMLSyntaxError) {
        skipBlanks()
        if peek == "#" {
            guard let end = commentEnd else { throw error("a comment holds a control character", cure: "remove it") }
            index = end
        }
        guard isAtLineEnd else { throw error("something follows the value", cure: "begin a new line, or quote the value as a whole") }
    }

    mutating func skipLine() {
        while let next = peek {
            advance()
            if next == "\n" { return }
        }
    }

    private var isAtLineEnd: Bool {
        peek == nil || peek == "\n" || peek == "\r" && index + 1 < text.count && text[index + 1] == "\n"
    }

    /// Where the comment that begins here ends; `nil` if it holds a control character.
    private var commentEnd: Int? {
        var end = index
        while end < text.count, text[end] != "\n" {
            let isLineEnd = text[end] == "\r" && end + 1 < text.count && text[end + 1] == "\n"
            if isLineEnd { break }
            if text[end].isControl { return nil }
            end += 1
        }
        return end
    }

    // MARK: Keys

    /// Reads `a."b".c` and the blanks around it.
    mutating func readKey() throws(TOMLSyntaxError) -> [KeyPart] {
        var parts: [KeyPart] = []
        repeat {
            skipBlanks()
            let start = position
            if peek == "\"" || peek == "'" {
                guard !isTriple else { throw error("a key in three quotes", cure: "use one quote on each side") }
                parts.append(KeyPart(name: try readString(), position: start))
            } else {
                var name = String.UnicodeScalarView()
                while let next = peek, next.isBareKey {
                    name.append(next)
                    advance()
                }
                guard !name.isEmpty else {
                    throw error("a key is expected here", cure: "use letters, digits, _ and -, or put the key in quotes")
                }
                parts.append(KeyPart(name: String(name), position: start))
            }
            guard parts.count <= 32 else { throw error("a key of more than 32 parts", cure: "shorten it") }
            skipBlanks()
        } while skip(".")
        return parts
    }

    // MARK: Strings

    private var isTriple: Bool { index + 2 < text.count && text[index + 1] == text[index] && text[index + 2] == text[index] }

    /// Reads a string of any of the four kinds.
    mutating func readString() throws(TOMLSyntaxError) -> String {
        let quote = text[index]
        let isLong = isTriple
        let start = position
        for _ in 0..<(isLong ? 3 : 1) { advance() }
        if isLong {
            nesting += 1
            if peek == "\r", isAtLineEnd { advance() }
            _ = skip("\n")
        }
        var content = String.UnicodeScalarView()
        while let next = peek {
            if next == quote {
                advance()
                guard isLong else { return String(content) }
                var count = 1
                while count < 5, skip(quote) { count += 1 }
                for _ in 0..<(count < 3 ? count : count - 3) { content.append(quote) }
                guard count < 3 else {
                    nesting -= 1
                    return String(content)
                }
            } else if next == "\\", quote == "\"" {
                try readEscape(into: &content, isLong: isLong)
            } else if next == "\n" || next == "\r" && isAtLineEnd {
                guard isLong else { break }
                content.append(next)
                advance()
            } else if next.isControl {
                throw error("a string holds a control character", cure: "write it as an escape, such as \\u0007")
            } else {
                content.append(next)
                advance()
            }
        }
        throw TOMLSyntaxError(position: start, problem: "the string is not closed", cure: "end it with the quote that it began with")
    }

    private mutating func readEscape(into content: inout String.UnicodeScalarView, isLong: Bool) throws(TOMLSyntaxError) {
        let start = position
        let unknown = TOMLSyntaxError(
            position: start, problem: "an unknown escape", cure: "write \\\\ for a backslash, or use single quotes")
        advance()
        guard let kind = peek else { throw unknown }
        let simple: [Unicode.Scalar: Unicode.Scalar] = [
            "b": "\u{8}", "t": "\t", "n": "\n", "f": "\u{C}", "r": "\r", "\"": "\"", "\\": "\\",
        ]
        if let scalar = simple[kind] {
            advance()
            content.append(scalar)
        } else if kind == "u" || kind == "U" {
            advance()
            var value: UInt32 = 0
            for _ in 0..<(kind == "u" ? 4 : 8) {
                guard let digit = peek.flatMap({ Character($0).hexDigitValue }), peek!.isASCII else { throw unknown }
                value = value << 4 | UInt32(digit)
                advance()
            }
            guard value != 0, let scalar = Unicode.Scalar(value) else { throw unknown }
            content.append(scalar)
        } else if isLong {
            // A backslash at the end of a line joins it to the next text.
            skipBlanks()
            guard isAtLineEnd, peek != nil else { throw unknown }
            while let next = peek, " \t\r\n".unicodeScalars.contains(next) { advance() }
        } else {
            throw unknown
        }
    }

    // MARK: Bare values

    /// Reads a number, a truth or a date.
    mutating func readBareValue() throws(TOMLSyntaxError) -> RawValue {
        let start = position
        var word = ""
        func isPart(_ scalar: Unicode.Scalar) -> Bool { scalar.isBareKey || scalar == "+" || scalar == "." || scalar == ":" }
        while let next = peek, isPart(next) {
            word.unicodeScalars.append(next)
            advance()
        }
        // The time of a date may stand behind a blank (RFC 3339 §5.6).
        if TOMLNumber.isDate(word), peek == " ", index + 3 < text.count, ("0"..."9").contains(text[index + 1]), text[index + 3] == ":" {
            advance()
            word += "T"
            while let next = peek, isPart(next) {
                word.unicodeScalars.append(next)
                advance()
            }
        }
        guard !word.isEmpty else {
            throw TOMLSyntaxError(position: start, problem: "a value is missing", cure: "write a text in quotes, a number, true or false")
        }
        guard let value = TOMLNumber.value(of: word) else {
            throw TOMLSyntaxError(position: start, problem: "a value that is no number, true or false", cure: "put texts in quotes")
        }
        return value
    }
}

extension Unicode.Scalar {
    /// What may stand in a key without quotes.
    fileprivate var isBareKey: Bool {
        ("a"..."z").contains(self) || ("A"..."Z").contains(self) || ("0"..."9").contains(self) || self == "_" || self == "-"
    }

    /// What neither strings nor comments may hold.
    fileprivate var isControl: Bool { value < 0x20 && self != "\t" || value == 0x7F }
}
