import GateCore
import GateSQL

/// A transaction as its body sees it. Confined to its connection's thread.
///
/// Postgres gives a transaction up when one of its statements fails; a body may go on after an error that it caught, though. Savepoints
/// around every statement would cost two round trips each, so a body runs without at first, and only where it goes on after an
/// error it is undone and runs again with them (``isCareful``).
final class PostgresTransaction: SQLSchemaConnection {
    enum Kind: Hashable, Sendable { case read, write, schema }

    /// What has become of it.
    enum Fate {
        case sound
        /// A statement failed, and everything with it.
        case spoilt(StorageError)
        /// As ``spoilt(_:)``, and the body went on, or which columns were meant is not known yet: it must run again, carefully.
        case wantsCare(StorageError)
        /// Another transaction was in the way: to be tried again.
        case conflict(StorageError)
        /// The server does not know a statement that was prepared: to be tried again without.
        case stale(StorageError, unnamed: Bool)
        /// The connection is gone. Nothing is committed.
        case lost(StorageError)
    }

    private let connection: PostgresConnection
    private let kind: Kind
    private let isCareful: Bool
    private let named: Bool
    private let constraints: ConstraintNames
    private let statementTime: Duration
    private let end: MonotonicInstant
    private let time: any TimeSource
    private(set) var fate = Fate.sound
    /// Until it has begun, which it does with its first statement.
    private var beginning: TransactionBeginning?

    /// - Parameters:
    ///   - end: no statement is waited for beyond it.
    ///   - statementTime: what the server gives each statement, and a bit.
    init(
        _ connection: PostgresConnection, _ kind: Kind, _ beginning: TransactionBeginning, isCareful: Bool, named: Bool,
        constraints: ConstraintNames, statementTime: Duration, end: MonotonicInstant, time: any TimeSource
    ) {
        self.connection = connection
        self.beginning = beginning
        self.kind = kind
        self.isCareful = isCareful
        self.named = named
        self.constraints = constraints
        self.statementTime = statementTime
        self.end = end
        self.time = time
    }

    var limit: MonotonicInstant { min(end, time.monotonic() + statementTime) }

    /// Whether the server knows of it: where no statement was run there is nothing to end.
    var hasBegun: Bool { beginning == nil }

    @discardableResult
    func execute(_ sql: StaticString, _ parameters: [any SQLBindable]) throws(StorageError) -> Int { try run(sql, parameters).changed }

    func query(_ sql: StaticString, _ parameters: [any SQLBindable], row: (borrowing any SQLRow) throws(StorageError) -> Void)
        throws(StorageError)
    {
        let result = try run(sql, parameters)
        for number in 0..<result.rows { try row(PostgresRow(result: result, row: Int32(number))) }
    }

    private func run(_ sql: StaticString, _ parameters: [any SQLBindable]) throws(StorageError) -> PostgresResult {
        try guarded { () throws(PostgresFailure) in
            let beginning = self.beginning
            let limit = self.limit
            // However it ends, the server may know of it.
            self.beginning = nil
            return try connection.run(sql, parameters, named: named, after: beginning, until: limit)
        }
    }

    func executeScript(_ sql: String) throws(StorageError) {
        let results = try guarded { () throws(PostgresFailure) in
            try begin()
            return try connection.run(script: sql, until: limit)
        }
        guard connection.inTransaction, !results.contains(where: { Self.transactionCommands.contains($0.command) }) else {
            fate = .spoilt(.misuse(reason: "a script must not begin or end a transaction"))
            throw .misuse(reason: "a script must not begin or end a transaction")
        }
    }

    private static let transactionCommands: Set = ["BEGIN", "START TRANSACTION", "COMMIT", "ROLLBACK", "PREPARE TRANSACTION"]

    /// Begins it without a first statement to do that with.
    private func begin() throws(PostgresFailure) {
        guard let beginning else { return }
        let limit = limit
        self.beginning = nil
        try connection.run(script: beginning.script, until: limit)
    }

    /// Waits until nobody else changes the schema.
    func lockSchema() throws(StorageError) {
        _ = try row("SELECT pg_advisory_xact_lock(?1)::text", [Self.schemaLock]) { _ throws(StorageError) in true }
    }

    /// `gatehous` in ASCII.
    private static let schemaLock: Int64 = 0x6761_7465_686F_7573

    private func guarded<Result>(_ statement: () throws(PostgresFailure) -> Result) throws(StorageError) -> Result {
        switch fate {
        case .sound: break
        case .spoilt(let error), .wantsCare(let error):
            fate = .wantsCare(error)
            throw error
        case .conflict(let error), .stale(let error, _), .lost(let error): throw error
        }
        do throws(PostgresFailure) {
            if isCareful {
                try begin()
                try connection.run(script: "SAVEPOINT statement", until: limit)
            }
            let result = try statement()
            if isCareful { try connection.run(script: "RELEASE statement", until: limit) }
            return result
        } catch {
            throw settle(error)
        }
    }

    /// Decides what becomes of the transaction after a failure.
    /// - Returns: what the body is told.
    private func settle(_ failure: PostgresFailure) -> StorageError {
        var error = failure.error
        if kind == .read, failure.code == "25006" { error = .misuse(reason: "a read that writes: \(error)") }
        if failure.isLoss || connection.isBroken {
            fate = .lost(error)
        } else if failure.isConflict {
            fate = .conflict(error)
        } else if failure.isStalePreparation {
            fate = .stale(error, unnamed: failure.code == "26000")
        } else if isCareful {
            fate = .sound
            do throws(PostgresFailure) {
                try connection.run(script: "ROLLBACK TO statement", until: limit)
                if failure.code == "23505", constraints.columns(of: failure.constraint ?? ("", "")) == nil {
                    try constraints.learn(from: connection, until: limit)
                }
                error = named(failure) ?? error
            } catch {
                fate = .lost(error.error)
            }
        } else {
            let named = named(failure)
            error = named ?? error
            fate = failure.code == "23505" && named == nil ? .wantsCare(error) : .spoilt(error)
        }
        return error
    }

    /// A unique violation with its columns, where they are known.
    private func named(_ failure: PostgresFailure) -> StorageError? {
        guard failure.code == "23505", let constraint = failure.constraint else { return nil }
        return constraints.columns(of: constraint).map { .uniqueViolation(constraint: $0) }
    }

    /// Told by the worker that the body has returned although a statement failed, or with another error than that.
    func bodyWentOn() {
        if case .spoilt(let error) = fate { fate = .wantsCare(error) }
    }
}
