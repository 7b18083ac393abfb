package import GateCore

/// Where one step of the schema stands in a database.
package struct MigrationStatus: Hashable, Sendable {
    package enum State: String, Sendable {
        /// In the database, as this program knows it.
        case applied
        /// Known to this program, not yet in the database.
        case pending
        /// In the database, but its text or name is no longer the one that was applied.
        case altered
        /// In the database, but not known to this program: a newer one made it.
        case unknown
    }

    package let version: Int
    package let name: String
    package let appliedAt: Timestamp?
    package let state: State

    package init(version: Int, name: String, appliedAt: Timestamp?, state: State) {
        self.version = version
        self.name = name
        self.appliedAt = appliedAt
        self.state = state
    }
}
