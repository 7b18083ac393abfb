/// A value that was written for a key, and where.
struct SettingEntry<Root: Sendable> {
    var key: SettingKey<Root>
    var value: RawValue
    var place: ConfigurationPlace
}

/// A table that there may be several of, taken apart: a `[[site]]`, a policy of the operator's own.
struct TableEntry<Root: Sendable> {
    /// Where the table begins, or its first key stands.
    var place: ConfigurationPlace
    var entries: [SettingEntry<Root>] = []
    private(set) var faults: [ConfigurationFault] = []

    /// - Parameters:
    ///   - fallback: the place of a table without keys.
    ///   - title: how messages name the table.
    init(
        _ table: TOMLTable, keys: [SettingKey<Root>], title: String, fallback: ConfigurationPlace,
        place: (TextPosition) -> ConfigurationPlace
    ) {
        self.place = table.members.first.map { place($0.position) } ?? fallback
        for member in table.members {
            if let key = keys.first(where: { $0.path == member.name }) {
                entries.append(SettingEntry(key: key, value: RawValue(member.value), place: place(member.position)))
                continue
            }
            let names = keys.map(\.path)
            faults.append(
                ConfigurationFault(
                    place(member.position), "unknown key \"\(member.name)\" in \(title)",
                    cure: nearestName(to: member.name, among: names).map { "did you mean \"\($0)\"?" }
                        ?? "remove it; known here: \(names.joined(separator: ", "))"))
        }
    }

    /// Reads every value into `root`.
    ///
    /// - Returns: where each key was written, by its path.
    func read(into root: inout Root, title: String, faults: inout [ConfigurationFault]) -> [String: ConfigurationPlace] {
        var origins: [String: ConfigurationPlace] = [:]
        for entry in entries {
            do throws(InvalidValue) {
                try entry.key.assign(entry.value, &root)
            } catch {
                faults.append(ConfigurationFault(entry.place, "\(entry.key.path) of \(title): \(error.problem)", cure: error.cure))
            }
            // Also where it is faulty: it was meant to be said.
            origins[entry.key.path] = entry.place
        }
        return origins
    }
}

extension RawValue {
    init(_ value: TOMLValue) {
        switch value {
        case .scalar(let raw): self = raw
        case .array(let elements): self = .array(elements.map { RawValue($0) })
        case .table(let table): self = .table(table.members.map { Field(name: $0.name, value: RawValue($0.value)) })
        case .tables: self = .other(kind: "a list of tables")
        }
    }
}
