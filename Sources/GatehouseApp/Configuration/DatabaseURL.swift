/// Which database, as an address.
package enum DatabaseURL: Hashable, Sendable, CustomStringConvertible {
    /// Relative paths are relative to the data folder.
    case sqlite(path: String)

    package var description: String {
        switch self {
        case .sqlite(let path): "sqlite:\(path)"
        }
    }

    init(_ text: String) throws(InvalidValue) {
        if text.hasPrefix("postgres://") || text.hasPrefix("postgresql://") {
            throw InvalidValue(
                "Postgres is not available in this version", cure: "write sqlite:FILE, or leave it out for sqlite:gatehouse.db")
        }
        guard text.hasPrefix("sqlite:") else {
            throw InvalidValue("is no database address this version knows", cure: "write sqlite:FILE, such as sqlite:gatehouse.db")
        }
        var path = text.dropFirst(7)
        if path.hasPrefix("///") { path = path.dropFirst(2) }
        guard !path.isEmpty, !path.hasPrefix("//"), !path.hasPrefix(":"), !path.contains("?") else {
            throw InvalidValue("names no file", cure: "write sqlite:FILE, such as sqlite:gatehouse.db or sqlite:/path/to.db")
        }
        self = .sqlite(path: String(path))
    }
}
