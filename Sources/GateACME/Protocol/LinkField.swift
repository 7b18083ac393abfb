/// The `Link` field (RFC 8288 §3).
enum LinkField {
    /// The most links that are looked at.
    static let maximumLinks = 32

    /// What the links with that relation point at, in the order of the fields. A link that is not well formed ends its line.
    static func targets(of relation: String, in lines: [String]) -> [String] {
        var targets: [String] = []
        for line in lines {
            var rest = line[...]
            while targets.count < maximumLinks, let link = next(in: &rest) {
                if link.relations.contains(relation) { targets.append(link.target) }
            }
        }
        return targets
    }

    private static func next(in rest: inout Substring) -> (target: String, relations: [String])? {
        rest = rest.drop { $0 == " " || $0 == "\t" || $0 == "," }
        guard rest.first == "<", let end = rest.firstIndex(of: ">") else { return nil }
        let target = String(rest[rest.index(after: rest.startIndex)..<end])
        rest = rest[rest.index(after: end)...]
        var relations: [String] = []
        while true {
            rest = rest.drop { $0 == " " || $0 == "\t" }
            guard rest.first == ";" else { return (target, relations) }
            rest = rest.dropFirst().drop { $0 == " " || $0 == "\t" }
            let name = rest.prefix { !"=;, \t".contains($0) }.lowercased()
            rest = rest.drop { !"=;, \t".contains($0) }.drop { $0 == " " || $0 == "\t" }
            guard rest.first == "=" else { continue }
            rest = rest.dropFirst().drop { $0 == " " || $0 == "\t" }
            guard let value = value(in: &rest) else { return nil }
            // Only the first `rel` counts (RFC 8288 §3.3).
            if name == "rel", relations.isEmpty { relations = value.lowercased().split(separator: " ").map(String.init) }
        }
    }

    /// A token, or a quoted string.
    private static func value(in rest: inout Substring) -> String? {
        guard rest.first == "\"" else {
            let token = rest.prefix { !";, \t".contains($0) }
            rest = rest[token.endIndex...]
            return String(token)
        }
        rest = rest.dropFirst()
        var value = ""
        while let character = rest.popFirst() {
            if character == "\"" { return value }
            if character == "\\" {
                guard let escaped = rest.popFirst() else { return nil }
                value.append(escaped)
            } else {
                value.append(character)
            }
        }
        return nil
    }
}
