import GateCore

/// What a statement failed with.
struct PostgresFailure: Error {
    /// Five characters (PostgreSQL manual, appendix A); `nil` where the server did not say, because it is gone.
    var code: String?
    var error: StorageError
    /// The schema and name of the constraint that was broken.
    var constraint: (schema: String, name: String)?
    /// How many of the commands that were sent together succeeded before it.
    var preceding = 0

    init(code: String? = nil, _ error: StorageError, constraint: (schema: String, name: String)? = nil) {
        self.code = code
        self.error = error
        self.constraint = constraint
    }

    /// Another transaction did what this one read or wrote at the same time: it may succeed when it is tried again.
    var isConflict: Bool { code == "40001" || code == "40P01" }

    /// The server ended the connection, or the connection was lost.
    var isLoss: Bool {
        guard let code else { return true }
        return code.hasPrefix("08") || ["57P01", "57P02", "57P03", "57P05", "25P03"].contains(code)
    }

    /// The statement that was prepared is not there, or is no longer good: behind a pooler the server may be another each time, and a
    /// change of the schema makes plans void.
    var isStalePreparation: Bool { code == "26000" || code == "0A000" }
}

/// What a code of Postgres means. The one place where codes become ``StorageError``.
enum PostgresCode {
    static func error(_ code: String, _ message: String, constraint: String?) -> StorageError {
        let reason = "\(message) (\(code))"
        switch code {
        case "23505": return .uniqueViolation(constraint: constraint ?? message)
        case "25006": return .readOnly(reason: reason)  // read_only_sql_transaction: a standby, or told to be
        case "42501": return .readOnly(reason: reason)  // insufficient_privilege
        case "53100": return .full(reason: reason)
        case "53300": return .unavailable(reason: reason)  // too_many_connections
        case "54000", "54001", "54011", "54023": return .misuse(reason: reason)
        case "55P03": return .busy(reason: reason)  // lock_not_available
        case "57014": return .unavailable(reason: reason)  // query_canceled: statement_timeout
        case "58030": return .inputOutput(reason: reason)
        case "XX001", "XX002": return .corrupt(reason: reason)
        default: break
        }
        switch code.prefix(2) {
        case "23": return .constraintViolation(reason: reason)
        case "40", "55": return .busy(reason: reason)
        case "08", "28", "3D", "53", "57": return .unavailable(reason: reason)
        case "58", "XX", "F0": return .inputOutput(reason: reason)
        default: return .misuse(reason: reason)
        }
    }
}
