package import GateCore
package import GateIdentity
package import GateSQL

package struct SQLLoginFailureStore: LoginFailureStore {
    private let database: any SQLDatabase

    package init(_ database: any SQLDatabase) { self.database = database }

    package func find(_ key: LoginFailureKey) async throws -> LoginFailures? {
        try await database.read { try Self.find(key, $0) }
    }

    package func record(
        _ key: LoginFailureKey, at now: Timestamp, forgettingBefore horizon: Timestamp
    ) async throws -> LoginFailures {
        try await database.write { connection in
            let known = try Self.find(key, connection)
            let remembered = known.map { $0.lastAt < horizon ? 0 : $0.count } ?? 0
            let failures = LoginFailures(count: remembered + 1, lastAt: now)
            try connection.execute(
                """
                INSERT INTO login_failures (network, account, count, last_at) VALUES (?1, ?2, ?3, ?4)
                ON CONFLICT (network, account) DO UPDATE SET count = excluded.count, last_at = excluded.last_at
                """, [key.network, key.storedAccount, failures.count, now])
            return failures
        }
    }

    package func clear(_ key: LoginFailureKey) async throws {
        try await database.write { connection in
            _ = try connection.execute(
                "DELETE FROM login_failures WHERE network = ?1 AND account = ?2", [key.network, key.storedAccount])
        }
    }

    package func clear(_ selection: LoginFailureSelection) async throws -> Int {
        try await database.write { connection in
            switch selection {
            case .all: return try connection.execute("DELETE FROM login_failures")
            case .account(let account):
                return try connection.execute("DELETE FROM login_failures WHERE account = ?1", [Int64(bitPattern: account)])
            case .network(let wanted):
                let networks = try connection.rows("SELECT DISTINCT network FROM login_failures", []) { row throws(StorageError) in
                    try row.text(0)
                }
                return try networks.filter { IPNetwork($0).map(wanted.overlaps) ?? false }.reduce(0) { count, network in
                    try count + connection.execute("DELETE FROM login_failures WHERE network = ?1", [network])
                }
            }
        }
    }

    package func prune(before horizon: Timestamp) async throws -> Int {
        try await database.write { try $0.execute("DELETE FROM login_failures WHERE last_at < ?1", [horizon]) }
    }

    private static func find(_ key: LoginFailureKey, _ connection: any SQLConnection) throws(StorageError) -> LoginFailures? {
        try connection.row(
            "SELECT count, last_at FROM login_failures WHERE network = ?1 AND account = ?2", [key.network, key.storedAccount]
        ) { row throws(StorageError) in
            LoginFailures(count: Int(try row.integer(0)), lastAt: try row.timestamp(1))
        }
    }
}

extension LoginFailureKey {
    /// The databases have no unsigned integers.
    fileprivate var storedAccount: Int64 { Int64(bitPattern: account) }
}
