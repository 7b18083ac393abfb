import TOMLKit

/// A TOML file, taken apart into settings with their places.
struct ConfigurationFile {
    struct Entry {
        var key: ConfigurationKey
        var value: RawValue
        var place: ConfigurationPlace
    }

    private(set) var entries: [Entry] = []
    private(set) var faults: [ConfigurationFault] = []

    private let file: String
    private var positions = TOMLKeyPositions("")

    init(_ text: String, file: String) {
        self.file = file
        // TOMLKit hands C strings over: what follows a NUL would silently be lost.
        guard !text.utf8.contains(0), !text.contains("\\u0000"), !text.contains("\\U00000000") else {
            faults.append(ConfigurationFault(.file(file, line: 0, column: 0), "holds a NUL character", cure: "remove it"))
            return
        }
        let document: TOMLTable
        do {
            document = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            faults.append(
                ConfigurationFault(
                    .file(file, line: error.source.begin.line, column: error.source.begin.column), "is no valid TOML",
                    cure: Self.oneLine(error.description)))
            return
        } catch {
            faults.append(ConfigurationFault(.file(file, line: 0, column: 0), "is no valid TOML", cure: "see toml.io for its rules"))
            return
        }
        positions = TOMLKeyPositions(text)
        visit(document, under: [])
    }

    private mutating func visit(_ table: TOMLTable, under parent: [String]) {
        let members = table.keys.map { name in
            let path = parent + [name]
            return (path: path, place: place(of: path), name: name)
        }
        for member in members.sorted(by: { ($0.place.order, $0.name) < ($1.place.order, $1.name) }) {
            let path = member.path.joined(separator: ".")
            if let key = Self.keysByPath[path], member.path.allSatisfy({ !$0.contains(".") }) {
                entries.append(
                    Entry(key: key, value: table[member.name].map(RawValue.init) ?? .other(kind: "nothing"), place: member.place))
            } else if LaterFeatures.contain(member.path) {
                fault(member.place, "\(path): not available in this version", cure: "remove it")
            } else if Self.sections.contains(path) {
                if let inner = table[member.name]?.table {
                    visit(inner, under: member.path)
                } else {
                    fault(member.place, "\(path): is a single value, where a table is expected", cure: "write [\(path)] and its keys below")
                }
            } else {
                unknown(member.path, at: member.place)
            }
        }
    }

    private mutating func unknown(_ path: [String], at place: ConfigurationPlace) {
        let name = path.joined(separator: ".")
        let siblings = Self.names(under: path.dropLast().joined(separator: "."))
        if path.dropLast() == ["limits", "policies"] {
            let near = nearestName(to: path.last!, among: siblings.map { String($0.split(separator: ".").last!) })
            fault(
                place, "unknown policy \"\(path.last!)\"",
                cure: near.map { "did you mean \"\($0)\"?" }
                    ?? "the policies are \(Configuration.Limits.PolicyName.allCases.map(\.rawValue).joined(separator: ", "))")
            return
        }
        // A slip in the last part first; then the right name in the wrong section; then a slip anywhere.
        let near =
            siblings.first { nearestName(to: path.last!, among: [String($0.split(separator: ".").last!)]) != nil }
            .flatMap { _ in nearestName(to: name, among: siblings) }
            ?? Configuration.keys.first { $0.path.split(separator: ".").last.map(String.init) == path.last }?.path
            ?? nearestName(to: name, among: Configuration.keys.map(\.path) + Self.sections)
        let isTopLevel = path.count == 1
        fault(
            place, "unknown key \"\(name)\"",
            cure: near.map { "did you mean \"\($0)\"?" }
                ?? (isTopLevel ? "remove it" : "remove it; known here: \(siblings.joined(separator: ", "))"))
    }

    private mutating func fault(_ place: ConfigurationPlace, _ problem: String, cure: String) {
        faults.append(ConfigurationFault(place, problem, cure: cure))
    }

    private func place(of path: [String]) -> ConfigurationPlace {
        let position = positions.positions[path] ?? TOMLKeyPositions.Position(line: 0, column: 0)
        return .file(file, line: position.line, column: position.column)
    }

    private static func oneLine(_ text: String) -> String {
        String(text.map { $0.isNewline ? " " : $0 })
    }

    private static let keysByPath = Dictionary(uniqueKeysWithValues: Configuration.keys.map { ($0.path, $0) })

    /// Every table that holds keys or other tables: `limits`, `limits.policies`, …
    private static let sections: Set<String> = Set(
        Configuration.keys.flatMap { key in
            let parts = key.path.split(separator: ".")
            return parts.indices.dropFirst().map { parts[..<$0].joined(separator: ".") }
        })

    /// The keys and tables directly in a table, as whole paths, in the order of the reference.
    private static func names(under section: String) -> [String] {
        let depth = section.isEmpty ? 1 : section.split(separator: ".").count + 1
        var names: [String] = []
        for key in Configuration.keys where section.isEmpty || key.path.hasPrefix(section + ".") {
            let name = key.path.split(separator: ".").prefix(depth).joined(separator: ".")
            if !names.contains(name) { names.append(name) }
        }
        return names
    }
}

extension ConfigurationPlace {
    /// For sorting what stands in one file.
    fileprivate var order: Int {
        if case .file(_, let line, let column) = self { line * 100_000 + column } else { 0 }
    }
}

extension RawValue {
    init(_ value: any TOMLValueConvertible) {
        switch value.type {
        case .string: self = value.string.map(RawValue.string) ?? .other(kind: "nothing")
        case .int: self = value.int.map { .integer(Int64($0)) } ?? .other(kind: "nothing")
        case .bool: self = value.bool.map(RawValue.bool) ?? .other(kind: "nothing")
        case .array: self = .array(value.array?.map { RawValue($0) } ?? [])
        case .table: self = .other(kind: "a table")
        case .double: self = .other(kind: "a number with a fraction")
        case .date, .time, .dateTime: self = .other(kind: "a date or time")
        }
    }
}
