import GateCore
import GatehouseApp
import Glibc
import Logging

/// What a person sees and types.
enum Terminal {
    /// - Parameter level: what the journal keeps it under, where a service's command says it.
    static func complain(_ message: String, _ level: Logger.Level = .warning) {
        let prefix = JournalStream.isBehind(STDERR_FILENO) ? JournalStream.prefix(level) : ""
        let lines = "gatehouse: \(message)".split(separator: "\n", omittingEmptySubsequences: false)
        write(lines.map { "\(prefix)\($0)\n" }.joined(), to: STDERR_FILENO)
    }

    static func say(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }

    /// A text of several lines, each with its end.
    static func show(_ document: String) { write(document, to: STDOUT_FILENO) }

    private static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard written > 0 || errno == EINTR else { return }
            rest = rest.dropFirst(max(0, written))
        }
    }

    /// Columns as wide as their widest cell. Control characters, which a name may not hold but a browser's title may, are shown as
    /// `?`: nobody writes escape sequences to an operator's terminal.
    static func table(_ header: [String], _ rows: [[String]]) {
        let cells = ([header] + rows).map { row in row.map(printable) }
        let widths = header.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
        for row in cells {
            let line = zip(row, widths).map { cell, width in cell + String(repeating: " ", count: width - cell.count) }
            say(String(line.joined(separator: "  ").reversed().drop { $0 == " " }.reversed()))
        }
    }

    /// Text that others wrote, a line of theirs being a line here.
    static func paragraph(_ text: String) {
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) { say("  " + printable(String(line))) }
    }

    private static func printable(_ text: String) -> String { String(text.map { $0.isPrintable ? $0 : "?" }) }

    /// Reads a password: twice and unseen from a terminal, else one line of standard input.
    static func readPassword(prompt: String) throws -> Secret {
        guard isatty(STDIN_FILENO) == 1 else {
            guard let line = readLine(strippingNewline: true), !line.isEmpty else {
                throw CommandFailure(.usage, "No password on standard input.")
            }
            return Secret(line)
        }
        let first = try readHidden("\(prompt): ")
        guard try readHidden("Once more: ") == first else { throw CommandFailure(.usage, "The two passwords differ.") }
        return Secret(first)
    }

    /// Reads what opens something: once, unseen from a terminal, else one line of standard input.
    static func readPassphrase(prompt: String) throws -> Secret {
        guard isatty(STDIN_FILENO) == 1 else {
            guard let line = readLine(strippingNewline: true), !line.isEmpty else {
                throw CommandFailure(.usage, "No passphrase on standard input.")
            }
            return Secret(line)
        }
        return Secret(try readHidden("\(prompt): "))
    }

    private static func readHidden(_ prompt: String) throws -> String {
        write(prompt, to: STDERR_FILENO)
        var settings = termios()
        tcgetattr(STDIN_FILENO, &settings)
        let shown = settings
        settings.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings)
        defer {
            var shown = shown
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown)
            write("\n", to: STDERR_FILENO)
        }
        guard let line = readLine(strippingNewline: true), !line.isEmpty else { throw CommandFailure(.usage, "No password was given.") }
        return line
    }

    /// Whether the operator agrees. Without a terminal nobody can be asked: `--yes` must say it.
    static func confirm(_ question: String) throws {
        guard isatty(STDIN_FILENO) == 1 else { throw CommandFailure(.usage, "\(question) Say so with --yes.") }
        write("\(question) Type yes: ", to: STDERR_FILENO)
        guard readLine(strippingNewline: true) == "yes" else { throw CommandFailure(.failure, "Nothing was changed.") }
    }
}

extension Character {
    fileprivate var isPrintable: Bool {
        unicodeScalars.allSatisfy { $0.properties.generalCategory != .control && $0.properties.generalCategory != .format }
    }
}
