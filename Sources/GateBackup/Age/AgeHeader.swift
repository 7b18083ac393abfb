import GateCore
import GateCrypto

/// What stands before the ciphertext: for each recipient, or the passphrase, the file's key (age-encryption.org/v1, §Header).
struct AgeHeader: Sendable {
    struct Stanza: Sendable {
        var arguments: [String]
        var body: [UInt8]
    }

    var stanzas: [Stanza]
    /// The text that is authenticated: up to and including `---`.
    var text: String
    var code: [UInt8]

    static let version = "age-encryption.org/v1"
    /// What every file begins with.
    static let magic = Array((version + "\n").utf8)
    static let fileKeySize = 16
    private static let columns = 64
    /// In bytes; what age writes for a few recipients is far below.
    static let maximumSize = 64 << 10

    /// Whether it was made by someone who knows the file's key.
    func isAuthentic(_ fileKey: Secret) -> Bool { constantTimeEqual(code, Self.code(of: text, fileKey)) }

    init(_ stanzas: [Stanza], fileKey: Secret) {
        self.stanzas = stanzas
        var text = Self.version + "\n"
        for stanza in stanzas {
            text += "-> \(stanza.arguments.joined(separator: " "))\n"
            // The last line of a body is shorter than the others, if need be empty.
            var rest = Substring(AgeBase64.encode(stanza.body))
            while rest.utf8.count >= Self.columns {
                text += "\(rest.prefix(Self.columns))\n"
                rest = rest.dropFirst(Self.columns)
            }
            text += "\(rest)\n"
        }
        text += "---"
        self.text = text
        code = Self.code(of: text, fileKey)
    }

    var bytes: [UInt8] { Array("\(text) \(AgeBase64.encode(code))\n".utf8) }

    private static func code(of text: String, _ fileKey: Secret) -> [UInt8] {
        HMACSHA256.authenticate(Array(text.utf8), key: HKDFSHA256.derive(fileKey, salt: [], info: "header"))
    }
}

extension AgeHeader {
    /// Reads a header, and of `source` not a byte beyond it.
    init(_ source: any ByteSource) throws(BackupError) {
        var lines = Lines(source: source)
        guard try lines.next() == Self.version else { throw BackupError(.foreign, "this is no file that age encrypted") }
        var stanzas: [Stanza] = []
        while true {
            let line = try lines.next()
            if line.hasPrefix("--- ") {
                guard let code = AgeBase64.decode(line.dropFirst(4)), code.count == HMACSHA256.size, !stanzas.isEmpty else {
                    throw Lines.damaged
                }
                self.stanzas = stanzas
                self.code = code
                text = lines.text(droppingLast: line.utf8.count - 3)
                return
            }
            guard line.hasPrefix("-> ") else { throw Lines.damaged }
            let arguments = line.dropFirst(3).split(separator: " ", omittingEmptySubsequences: false).map(String.init)
            guard arguments.allSatisfy({ !$0.isEmpty }) else { throw Lines.damaged }
            stanzas.append(Stanza(arguments: arguments, body: try lines.body(columns: Self.columns)))
        }
    }

    /// Lines of visible ASCII characters and spaces.
    private struct Lines {
        let source: any ByteSource
        private var seen: [UInt8] = []

        init(source: any ByteSource) { self.source = source }

        static let damaged = BackupError(.damaged, "the encrypted file's header is damaged")

        mutating func next() throws(BackupError) -> String {
            let start = seen.count
            while true {
                var byte: UInt8 = 0
                // One by one: what follows belongs to whoever reads the ciphertext.
                let result: Result<Int, BackupError> = withUnsafeMutableBytes(of: &byte) { target in
                    do throws(BackupError) { return .success(try source.read(into: target)) } catch { return .failure(error) }
                }
                guard try result.get() == 1, seen.count < AgeHeader.maximumSize else { throw Self.damaged }
                seen.append(byte)
                if byte == UInt8(ascii: "\n") { return String(decoding: seen[start..<seen.count - 1], as: UTF8.self) }
                guard (0x20...0x7E).contains(byte) else { throw Self.damaged }
            }
        }

        mutating func body(columns: Int) throws(BackupError) -> [UInt8] {
            var text = ""
            while true {
                let line = try next()
                guard line.utf8.count <= columns else { throw Self.damaged }
                text += line
                if line.utf8.count < columns { break }
            }
            guard let body = AgeBase64.decode(text) else { throw Self.damaged }
            return body
        }

        /// All that was read, without the end of the last line and so many bytes before it.
        func text(droppingLast count: Int) -> String { String(decoding: seen.dropLast(count + 1), as: UTF8.self) }
    }
}
