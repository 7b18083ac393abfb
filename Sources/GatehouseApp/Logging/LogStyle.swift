import GateCore
import Glibc
import Logging

/// What one line says, before it has a form.
struct LogLine {
    var time: Timestamp
    var level: Logger.Level
    var message: String
    var fields: Logger.Metadata = [:]
}

/// The form of a log line.
package enum LogStyle: Sendable {
    /// One JSON object to a line.
    case json
    /// For people; the level is coloured.
    case text

    package init(_ format: Configuration.Log.Format, descriptor: Int32) {
        switch format {
        case .json: self = .json
        case .text: self = .text
        case .auto: self = isatty(descriptor) == 1 ? .text : .json
        }
    }

    /// Without a line end.
    func line(_ line: LogLine) -> [UInt8] { self == .json ? Self.json(line) : Self.text(line) }

    private static func json(_ line: LogLine) -> [UInt8] {
        var writer = JSONWriter(reserving: 256)
        writer.beginObject()
        writer.member("time", line.time)
        writer.member("level", line.level.rawValue)
        writer.member("message", line.message)
        for (key, value) in line.fields.sorted(by: { $0.key < $1.key }) {
            // The three of every line are not to be had twice.
            writer.name(["time", "level", "message"].contains(key) ? key + "_" : key)
            write(value, of: key, to: &writer)
        }
        writer.endObject()
        return writer.bytes
    }

    private static func write(_ value: Logger.MetadataValue, of key: String, to writer: inout JSONWriter) {
        guard !SensitiveNames.contain(key) else {
            writer.value("<redacted>")
            return
        }
        switch value {
        case .string(let text): writer.value(text)
        case .stringConvertible(let value): writer.value(value.description)
        case .array(let values):
            writer.beginArray()
            for value in values { write(value, of: "", to: &writer) }
            writer.endArray()
        case .dictionary(let members):
            writer.beginObject()
            for (key, value) in members.sorted(by: { $0.key < $1.key }) {
                writer.name(key)
                write(value, of: key, to: &writer)
            }
            writer.endObject()
        }
    }

    private static func text(_ line: LogLine) -> [UInt8] {
        let stamp = line.time.rfc3339.dropFirst(11).dropLast()
        let level = line.level.rawValue.uppercased()
        var text = "\u{1B}[2m\(stamp)\u{1B}[0m \(colour(of: line.level))\(level)\u{1B}[0m"
        text += String(repeating: " ", count: max(1, 9 - level.count)) + printable(line.message)
        for (key, value) in line.fields.sorted(by: { $0.key < $1.key }) {
            text += " \u{1B}[2m\(printable(key))=\u{1B}[0m"
            // As in JSON, so that a value with spaces or line ends is told from what follows.
            var writer = JSONWriter()
            write(value, of: key, to: &writer)
            let written = String(decoding: writer.bytes, as: UTF8.self)
            let isPlain = written.hasPrefix("\"") && !written.dropFirst().dropLast().contains { " \\\"=".contains($0) } && written.count > 2
            text += isPlain ? String(written.dropFirst().dropLast()) : written
        }
        return Array(text.utf8)
    }

    /// Without control characters: what a client sent must neither forge a line nor command the terminal.
    private static func printable(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || 0x7F...0x9F ~= $0.value ? "\u{FFFD}" : $0 }))
    }

    private static func colour(of level: Logger.Level) -> String {
        switch level {
        case .trace, .debug: "\u{1B}[2m"
        case .info: "\u{1B}[32m"
        case .notice: "\u{1B}[36m"
        case .warning: "\u{1B}[33m"
        case .error, .critical: "\u{1B}[31m"
        }
    }
}

/// Names under which secrets would come. A second net: the first is that nobody logs them (CHECKLIST 43).
enum SensitiveNames {
    private static let parts = [
        "password", "passwd", "secret", "token", "cookie", "authorization", "credential", "api_key", "apikey", "api-key", "private_key",
        "jwt",
    ]

    static func contain(_ name: String) -> Bool {
        let name = name.lowercased()
        return parts.contains { name.contains($0) }
    }
}
