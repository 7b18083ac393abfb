package import GatePostgres

/// Which database, as an address.
package enum DatabaseURL: Hashable, Sendable, CustomStringConvertible {
    /// Relative paths are relative to the data folder.
    case sqlite(path: String)
    case postgres(PostgresURL)

    /// Without passwords.
    package var description: String {
        switch self {
        case .sqlite(let path): "sqlite:\(path)"
        case .postgres(let url): url.description
        }
    }

    init(_ text: String) throws(InvalidValue) {
        if text.hasPrefix("postgres://") || text.hasPrefix("postgresql://") {
            do throws(PostgresURL.Fault) {
                self = .postgres(try PostgresURL(text))
                return
            } catch {
                throw InvalidValue(error.problem, cure: error.cure)
            }
        }
        guard text.hasPrefix("sqlite:") else {
            throw InvalidValue(
                "is no database address this version knows",
                cure: "write sqlite:FILE, such as sqlite:gatehouse.db, or postgres://user:password@host/database")
        }
        var path = text.dropFirst(7)
        if path.hasPrefix("///") { path = path.dropFirst(2) }
        guard !path.isEmpty, !path.hasPrefix("//"), !path.hasPrefix(":"), !path.contains("?") else {
            throw InvalidValue("names no file", cure: "write sqlite:FILE, such as sqlite:gatehouse.db or sqlite:/path/to.db")
        }
        self = .sqlite(path: String(path))
    }
}
