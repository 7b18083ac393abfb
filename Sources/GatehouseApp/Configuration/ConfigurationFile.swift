/// A TOML file, taken apart into settings with their places.
struct ConfigurationFile {
    private(set) var entries: [SettingEntry<Configuration>] = []
    private(set) var sites: [TableEntry<Configuration.Site>] = []
    private(set) var policies: [(name: String, table: TableEntry<Configuration.Limits.CustomPolicy>)] = []
    private(set) var faults: [ConfigurationFault] = []

    private let file: String

    init(_ text: String, file: String) {
        self.file = file
        let document = TOMLDocument(text)
        faults = document.errors.map { error in
            ConfigurationFault(
                .file(file, line: error.position.line, column: error.position.column), "is no valid TOML: \(error.problem)",
                cure: error.cure)
        }
        visit(document.root, under: [])
    }

    private mutating func visit(_ table: TOMLTable, under parent: [String]) {
        for member in table.members {
            let parts = parent + [member.name]
            let path = parts.joined(separator: ".")
            let place = place(of: member.position)
            // A quoted key may hold a dot, and is then another one.
            let isPlain = !member.name.contains(".")
            if isPlain, let key = Self.keysByPath[path] {
                entries.append(SettingEntry(key: key, value: RawValue(member.value), place: place))
            } else if path == "site" {
                readSites(member.value, at: place)
            } else if LaterFeatures.contain(parts) {
                fault(place, "\(path): not available in this version", cure: "remove it")
            } else if isPlain, Self.sections.contains(path) {
                if case .table(let inner) = member.value {
                    visit(inner, under: parts)
                } else {
                    fault(
                        place, "\(path): is \(RawValue(member.value).kind), where a table is expected",
                        cure: "write [\(path)] and its keys below")
                }
            } else if parent == ["limits", "policies"], case .table(let inner) = member.value,
                Configuration.Limits.isPolicyName(member.name)
            {
                policies.append(
                    (
                        member.name,
                        TableEntry(
                            inner, keys: Configuration.Limits.CustomPolicy.keys, title: path, fallback: place, place: self.place(of:))
                    ))
            } else {
                unknown(parts, at: place)
            }
        }
    }

    private mutating func readSites(_ value: TOMLValue, at place: ConfigurationPlace) {
        let tables: [TOMLTable]
        switch value {
        case .tables(let list): tables = list
        case .array(let elements):
            tables = elements.compactMap { if case .table(let table) = $0 { table } else { nil } }
            if tables.count < elements.count { fault(place, "site: is a list of something else than tables", cure: "write [[site]]") }
        case .table, .scalar:
            fault(place, "site: is \(RawValue(value).kind), where a list of tables is expected", cure: "write [[site]] and its keys below")
            return
        }
        for table in tables {
            sites.append(TableEntry(table, keys: Configuration.Site.keys, title: "[[site]]", fallback: place, place: self.place(of:)))
        }
    }

    private func place(of position: TextPosition) -> ConfigurationPlace {
        .file(file, line: position.line, column: position.column)
    }

    private mutating func unknown(_ path: [String], at place: ConfigurationPlace) {
        let name = path.joined(separator: ".")
        let siblings = Self.names(under: path.dropLast().joined(separator: "."))
        if path.dropLast() == ["limits", "policies"] {
            let near = nearestName(to: path.last!, among: siblings.map { String($0.split(separator: ".").last!) })
            fault(
                place, "unknown policy \"\(path.last!)\"",
                cure: near.map { "did you mean \"\($0)\"?" }
                    ?? "the policies are \(Configuration.Limits.PolicyName.allCases.map(\.rawValue).joined(separator: ", ")); others are tables, "
                    + "their names lower-case letters, digits and -")
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
