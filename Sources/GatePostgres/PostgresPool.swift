import GateCore
import GateSQL
import Logging

/// What the threads of one database share.
final class PostgresPool: Sendable {
    let url: PostgresURL
    /// By which the server knows this process's connections (`application_name`): another one for each.
    let name: String
    let options: PostgresOptions
    let queue: JobQueue<any TransactionRequest>
    let condition: PoolCondition
    let writer = WriterCondition()
    let constraints = ConstraintNames()
    /// One at a time of those that were often in others' way.
    let lane = Semaphore()
    let time: any TimeSource
    let entropy: any Entropy
    let log: Logger
    private let library: LibPQ
    private let beginnings: [PostgresTransaction.Kind: TransactionBeginning]

    init(
        _ url: PostgresURL, _ library: LibPQ, name: String, options: PostgresOptions, setsDurability: Bool, time: any TimeSource,
        entropy: any Entropy,
        log: Logger
    ) {
        self.url = url
        self.library = library
        self.name = name
        self.options = options
        self.time = time
        self.entropy = entropy
        self.log = log
        queue = JobQueue(limit: options.queueLimit)
        condition = PoolCondition(preparesStatements: url.preparesStatements)
        lane.signal()
        func limits(_ statement: Duration, _ lock: Duration) -> [(String, String)] {
            [
                ("statement_timeout", "\(statement.milliseconds)"), ("lock_timeout", "\(lock.milliseconds)"),
                ("idle_in_transaction_session_timeout", "\((statement + .seconds(5)).milliseconds)"),
            ]
        }
        let usual = limits(options.statementTime, options.lockTime)
        let durability = setsDurability ? [("synchronous_commit", "on")] : []
        beginnings = [
            .read: TransactionBeginning("REPEATABLE READ READ ONLY", usual),
            // A scan of a whole table would make every writer of it one that was read by this transaction: a table of few rows is
            // read through its index too.
            .write: TransactionBeginning("SERIALIZABLE READ WRITE", usual + [("enable_seqscan", "off"), ("jit", "off")] + durability),
            // What this one sees must be newer than the lock, which the higher levels would not give.
            .schema: TransactionBeginning(
                "READ COMMITTED READ WRITE", limits(options.schemaTime, options.schemaTime) + durability),
        ]
    }

    func beginning(_ kind: PostgresTransaction.Kind) -> TransactionBeginning { beginnings[kind]! }

    func connect() throws(StorageError) -> PostgresConnection {
        var host = condition.host
        let connection = try PostgresConnection.open(url, library, name: name, from: &host, within: options.connectTime, time: time)
        condition.host = host
        return connection
    }
}

extension Duration {
    fileprivate var milliseconds: Int64 { wholeNanoseconds / 1_000_000 }
}
