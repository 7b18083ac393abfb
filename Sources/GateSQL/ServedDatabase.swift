package import GateCore

/// A database as a server runs it: opened once, watched, and closed at the end.
package protocol ServedDatabase: SQLSchemaDatabase {
    /// Whether the last write, if there was any, was possible.
    var canWrite: Bool { get }
    /// Asks it whether it works. Where the last write failed, also tries one, at most once a second.
    func health() async -> DatabaseHealth
    /// Lets everything that waits finish. What comes later is answered with `.closed`.
    func close() async
}

/// Whether a database can do its work.
package enum DatabaseHealth: Hashable, Sendable {
    /// It can; a read took this long.
    case ok(latency: Duration)
    /// It cannot, and why. For the log: what clients see of it is less.
    case failing(StorageError)
}
