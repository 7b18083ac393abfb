package import GateCore

/// A database whose schema can be changed: what migrations need beyond ``SQLDatabase``.
package protocol SQLSchemaDatabase: SQLDatabase {
    /// Like ``SQLDatabase/write(_:)``, with two additions: no other process changes the schema at the same time, and nothing
    /// else shares the transaction.
    func changeSchema<Result: Sendable>(_ body: @escaping @Sendable (any SQLSchemaConnection) throws -> Result) async throws -> Result
}

/// A connection inside a transaction that may change the schema.
package protocol SQLSchemaConnection: SQLConnection {
    /// Runs statements that are not known when this program is built, separated by `;`, without parameters. They must not begin
    /// or end a transaction: that is `.misuse`.
    func executeScript(_ sql: String) throws(StorageError)
}
