/// Why a store could not do what it was asked to. What is merely not there, or taken already, is a result and not one of these.
///
/// Drivers turn their own codes into this, each in one file; the API turns it into a problem document, in one file. `reason`
/// is for the log: it names files and codes, and never reaches a client.
package enum StorageError: Error, Hashable, Sendable {
    /// The database cannot be reached, or does not answer in time.
    case unavailable(reason: String)
    /// Another process or transaction holds what is needed; trying again may help.
    case busy(reason: String)
    /// No space is left: nothing that writes can go on until there is.
    case full(reason: String)
    /// The medium or the database refuses to be written to.
    case readOnly(reason: String)
    /// Reading or writing failed below the database: a disk error.
    case inputOutput(reason: String)
    /// The database file is damaged, or is no database.
    case corrupt(reason: String)
    /// A uniqueness rule was broken. `constraint` is `table.column`, several joined by commas.
    case uniqueViolation(constraint: String)
    /// Another rule of the schema was broken: a foreign key, a check, a missing value.
    case constraintViolation(reason: String)
    /// The statement itself is wrong: a defect in this program.
    case misuse(reason: String)
    /// The database's schema is newer than this binary knows, or was altered.
    case schema(reason: String)
    /// The store is closed or closing.
    case closed
}

extension StorageError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unavailable(let reason): "The database is unavailable: \(reason)"
        case .busy(let reason): "The database is busy: \(reason)"
        case .full(let reason): "No space is left for the database: \(reason)"
        case .readOnly(let reason): "The database cannot be written to: \(reason)"
        case .inputOutput(let reason): "The disk failed: \(reason)"
        case .corrupt(let reason): "The database is damaged: \(reason)"
        case .uniqueViolation(let constraint): "Already there: \(constraint)"
        case .constraintViolation(let reason): "A rule of the schema was broken: \(reason)"
        case .misuse(let reason): "A faulty statement: \(reason)"
        case .schema(let reason): "The schema does not fit this program: \(reason)"
        case .closed: "The database is closed"
        }
    }
}
