extension Configuration.Loaded {
    /// What `gatehouse check` prints: the whole effective configuration as TOML that could be used as it is, secrets redacted,
    /// with where each value came from; then what is worth knowing.
    package var report: String {
        let lines = Configuration.keys.map { key in
            let literal = key.literal(configuration)
            return (
                path: key.path, value: key.isSecret ? literal.map { _ in "\"<redacted>\"" } : literal?.toml,
                origin: origins[key.path]?.description ?? "default"
            )
        }
        var text = ""
        var section = ""
        for line in lines {
            let parts = line.path.split(separator: ".")
            let name = parts.dropLast().joined(separator: ".")
            if name != section {
                text += "\n[\(name)]\n"
                section = name
            }
            // A key without a value is shown as a comment: TOML has no word for "not set".
            let assignment = line.value.map { "\(parts.last!) = \($0)" } ?? "# \(parts.last!) is not set"
            text += padded(assignment, to: 44) + "# \(line.origin)\n"
        }
        for policy in configuration.limits.custom { text += policy.report }
        for index in configuration.sites.indices { text += report(ofSite: index) }
        if !notices.isEmpty { text += "\n" + notices.map { "# note: \($0)\n" }.joined() }
        return text
    }
}

extension Configuration {
    /// The content of `.env.example`: every variable with what it does, its default and how secrets are made.
    package static func environmentExample() -> String {
        let defaults = Configuration()
        var text = """
            # Every setting of gatehouse as an environment variable. Copy this file to .env, remove the # in front of what you
            # want to change, and start with: gatehouse serve --env-file .env
            # Stronger are variables of the real environment and options of the command line; weaker is the TOML file.
            # Lists are separated by commas. Durations: 500ms, 30s, 15m, 12h, 30d. Sizes: 64KiB, 1MiB.
            # `gatehouse check --env-file .env` shows what is in force, and every mistake at once.

            # The port of listen.http alone. (number; default: 8080)
            # PORT=8080

            """
        for key in keys {
            text += "\n"
            for line in wrapped(key.documentation, at: 116) { text += "# \(line)\n" }
            let literal = key.literal(defaults)
            let shown = key.derivedDefault ?? literal.map { $0.environment.isEmpty ? "none" : $0.environment } ?? "none"
            text += "# \(key.path) (\(key.kind); default: \(shown))\n"
            if !key.aliases.isEmpty { text += "# Also understood: \(key.aliases.joined(separator: ", "))\n" }
            if let recipe = key.recipe { text += "# Make one with: \(recipe)\n" }
            text += "# \(key.variable)=\(key.example ?? (key.isSecret ? "" : literal?.environment ?? ""))\n"
        }
        return text
    }

    /// A complete TOML file in which every setting is explained and commented out.
    package static func reference() -> String {
        let defaults = Configuration()
        var text = "# Every setting of gatehouse with its default. Remove the # in front of what you want to change.\n"
        var section = ""
        for key in keys {
            let parts = key.path.split(separator: ".")
            let name = parts.dropLast().joined(separator: ".")
            if name != section {
                text += "\n[\(name)]\n"
                section = name
            } else {
                text += "\n"
            }
            for line in wrapped(key.documentation, at: 116) { text += "# \(line)\n" }
            if let derived = key.derivedDefault { text += "# Default: \(derived).\n" }
            if let recipe = key.recipe { text += "# Make one with: \(recipe)\n" }
            text += "# \(key.variable)\(key.aliases.map { ", \($0)" }.joined())\(key.flag.map { ", \($0)" } ?? "")\n"
            let literal = key.isSecret ? nil : key.literal(defaults)
            text += "# \(parts.last!) = \(literal?.toml ?? key.example.map { "\"\($0)\"" } ?? "\"\"")\n"
        }
        return text + Site.reference
    }
}

func padded(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
}

/// Lines of at most `width` characters, broken at spaces.
func wrapped(_ text: String, at width: Int) -> [String] {
    var lines = [""]
    for word in text.split(separator: " ") {
        if !lines[lines.count - 1].isEmpty, lines[lines.count - 1].count + 1 + word.count > width { lines.append("") }
        lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + word
    }
    return lines
}
