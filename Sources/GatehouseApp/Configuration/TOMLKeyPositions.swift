/// Where each key of a TOML document stands, which the parser does not tell.
///
/// Only for text that the parser has accepted: it relies on the grammar (toml.io/en/v1.0.0) being kept. On other text it may
/// miss keys, but ends.
struct TOMLKeyPositions {
    struct Position: Equatable {
        var line: Int
        var column: Int
    }

    /// By dotted path, parts as they are read (without quotes). The first place, where a path occurs several times.
    private(set) var positions: [[String]: Position] = [:]

    private let text: [Unicode.Scalar]
    private var index = 0
    private var line = 1
    private var lineStart = 0

    init(_ text: String) {
        self.text = Array(text.unicodeScalars)
        var table: [String] = []
        while index < self.text.count {
            skip { $0 == " " || $0 == "\t" || $0 == "\r" || $0 == "\n" }
            switch peek {
            case nil: return
            case "#": skip { $0 != "\n" }
            case "[":
                skip { $0 == "[" }
                skipBlanks()
                table = readKey(under: [])
                skip { $0 != "\n" }
            default:
                readAssignment(under: table)
            }
        }
    }

    private var peek: Unicode.Scalar? { index < text.count ? text[index] : nil }

    private mutating func advance() {
        if text[index] == "\n" {
            line += 1
            lineStart = index + 1
        }
        index += 1
    }

    private mutating func skip(while condition: (Unicode.Scalar) -> Bool) {
        while let next = peek, condition(next) { advance() }
    }

    private mutating func skipBlanks() { skip { $0 == " " || $0 == "\t" } }

    private mutating func readAssignment(under table: [String]) {
        let path = readKey(under: table)
        guard peek == "=" else {
            // Not a key after all: the parser would have refused it. Go on behind it.
            skip { $0 != "\n" }
            return
        }
        advance()
        skipBlanks()
        skipValue(of: path)
    }

    /// Reads `a."b".c` and the blanks behind it.
    private mutating func readKey(under table: [String]) -> [String] {
        let start = Position(line: line, column: index - lineStart + 1)
        var path = table
        while let next = peek {
            if next == "\"" || next == "'" {
                path.append(readQuoted(next))
            } else {
                var part = String.UnicodeScalarView()
                while let next = peek, !" \t\r\n.=]#,{}\"'".unicodeScalars.contains(next) {
                    part.append(next)
                    advance()
                }
                path.append(String(part))
            }
            if positions[path] == nil { positions[path] = start }
            skipBlanks()
            guard peek == "." else { break }
            advance()
            skipBlanks()
        }
        return path
    }

    private mutating func skipValue(of path: [String]) {
        switch peek {
        case "\"", "'": _ = readQuoted(peek!)
        case "[":
            advance()
            while let next = peek, next != "]" {
                switch next {
                case "#": skip { $0 != "\n" }
                case " ", "\t", "\r", "\n", ",": advance()
                default:
                    let before = index
                    skipValue(of: path)
                    if index == before { advance() }
                }
            }
            if peek != nil { advance() }
        case "{":
            advance()
            while let next = peek, next != "}" {
                if " \t\r\n,".unicodeScalars.contains(next) {
                    advance()
                } else {
                    let before = index
                    readAssignment(under: path)
                    if index == before { advance() }
                }
            }
            if peek != nil { advance() }
        default: skip { !" \t\r\n,]}#".unicodeScalars.contains($0) }
        }
    }

    /// Reads a string of any of the four kinds. Escapes are resolved as far as keys need them.
    private mutating func readQuoted(_ quote: Unicode.Scalar) -> String {
        let isTriple = index + 2 < text.count && text[index + 1] == quote && text[index + 2] == quote
        for _ in 0..<(isTriple ? 3 : 1) { advance() }
        var content = String.UnicodeScalarView()
        while let next = peek {
            if next == quote {
                guard isTriple else {
                    advance()
                    break
                }
                var count = 0
                while peek == quote, count < 5 {
                    advance()
                    count += 1
                }
                if count >= 3 { break }
                continue
            }
            if !isTriple, next == "\n" { break }
            advance()
            if next == "\\", quote == "\"", let escaped = peek {
                advance()
                content.append(escaped)
            } else {
                content.append(next)
            }
        }
        return String(content)
    }
}
