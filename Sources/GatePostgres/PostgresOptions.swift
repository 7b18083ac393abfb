/// How a Postgres database is used. The defaults fit one server among a few, with the database on the same network.
package struct PostgresOptions: Sendable {
    /// The most connections, each with a thread of its own.
    package var connections = 10
    /// Transactions that may wait for a connection; one more is answered with `.busy`.
    package var queueLimit = 16_384
    /// How long a transaction may wait for a connection before it is answered with `.busy`.
    package var queueTime = Duration.seconds(5)
    /// How long it may take to be connected, and for a server that was idle to say that it is still there.
    package var connectTime = Duration.seconds(3)
    /// The most that one statement may take (`statement_timeout`).
    package var statementTime = Duration.seconds(5)
    /// The most that a statement may wait for a lock (`lock_timeout`).
    package var lockTime = Duration.seconds(2)
    /// The most that a transaction may take, all its attempts together.
    package var transactionTime = Duration.seconds(8)
    /// The same three for a change of the schema, which may rewrite a table.
    package var schemaTime = Duration.seconds(600)

    package init() {}
}
