package import GateACME
package import GateCore
package import GateCrypto
package import GateSQL

/// What instances that share a database have from authorities: records sealed under a key that is not in the database.
///
/// Whoever saves has the turn: it is looked at in the transaction that saves. The tables are there on Postgres only.
package struct SQLCertificateStore: CertificateStore {
    private let database: any SQLDatabase
    private let sealing: SealingKey
    private let entropy: any Entropy
    private let turn: LeasedTurn

    package init(_ database: any SQLDatabase, sealing: SealingKey, turn: LeasedTurn, entropy: any Entropy) {
        self.database = database
        self.sealing = sealing
        self.turn = turn
        self.entropy = entropy
    }

    /// The migrations have made what is needed.
    package func open() {}

    package func load(_ record: CertificateRecord) async throws(StoreFailure) -> Secret? {
        let row = try await asking(record) { connection in
            try connection.row(
                "SELECT version, sealed FROM certificate_records WHERE kind = ?1 AND key = ?2", [record.kind.rawValue, record.key]
            ) { row throws(StorageError) in (version: try row.integer(0), sealed: try row.blob(1)) }
        }
        guard let row else { return nil }
        guard let content = try? sealing.open(row.sealed, label: Self.label(record, row.version)) else {
            throw StoreFailure(
                path: Self.path(record), problem: "cannot be opened with this instance's cluster key",
                cure: "use the key that it was sealed with; where that is lost, delete the row, and it is had anew from the authority")
        }
        return content
    }

    package func save(_ content: Secret, as record: CertificateRecord) async throws(StoreFailure) {
        try await writing(record) { connection in _ = try put(content, record, connection, replacing: true) }
    }

    package func add(_ content: Secret, as record: CertificateRecord) async throws(StoreFailure) -> Bool {
        try await asking(record, writes: true) { connection in try put(content, record, connection, replacing: false) }
    }

    package func remove(_ record: CertificateRecord) async throws(StoreFailure) {
        try await writing(record) { connection in
            try connection.execute(
                "DELETE FROM certificate_records WHERE kind = ?1 AND key = ?2", [record.kind.rawValue, record.key])
        }
    }

    package func keys(of kind: CertificateRecord.Kind) async throws(StoreFailure) -> [String] {
        try await asking(CertificateRecord(kind, key: "")) { connection in
            try connection.rows("SELECT key FROM certificate_records WHERE kind = ?1 ORDER BY key", [kind.rawValue]) {
                row throws(StorageError) in try row.text(0)
            }
        }
    }

    /// Sealed as it is, with a name that tells where it was: it is of no kind any more.
    package func setAside(_ record: CertificateRecord, at now: Timestamp) async throws(StoreFailure) -> (path: String, aside: String) {
        let kind = "\(record.kind.rawValue) damaged \(now.seconds)"
        try await writing(record) { connection in
            try connection.execute(
                "UPDATE certificate_records SET kind = ?3 WHERE kind = ?1 AND key = ?2", [record.kind.rawValue, record.key, kind])
        }
        return (Self.path(record), "certificate_records, kind '\(kind)', key '\(record.key)'")
    }

    /// The greatest of these two kinds. It is another one after each save; where a record was set aside or deleted it may be a smaller one.
    package func version() async throws(StoreFailure) -> Int64 {
        try await asking(.history) { connection in
            try connection.row("SELECT COALESCE(MAX(version), 0) FROM certificate_records WHERE kind IN ('certificate', 'history')") {
                row throws(StorageError) in try row.integer(0)
            } ?? 0
        }
    }

    // MARK: Rows

    private func put(
        _ content: Secret, _ record: CertificateRecord, _ connection: any SQLConnection, replacing: Bool
    ) throws -> Bool {
        let isThere =
            try connection.row(
                "SELECT 1 FROM certificate_records WHERE kind = ?1 AND key = ?2", [record.kind.rawValue, record.key]
            ) { _ throws(StorageError) in true } ?? false
        guard replacing || !isThere else { return false }
        // By the clock: the version of a row that was deleted is not given out again, as those who have seen it would miss the new one.
        let version =
            try connection.row("SELECT GREATEST(COALESCE(MAX(version), 0) + 1, gatehouse_clock()) FROM certificate_records") {
                row throws(StorageError) in try row.integer(0)
            } ?? 1
        let sealed = try sealing.seal(content, label: Self.label(record, version), entropy: entropy)
        try connection.execute(
            """
            INSERT INTO certificate_records (kind, key, version, sealed) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT (kind, key) DO UPDATE SET version = excluded.version, sealed = excluded.sealed
            """, [record.kind.rawValue, record.key, version, sealed])
        return true
    }

    private static func label(_ record: CertificateRecord, _ version: Int64) -> String {
        "certificate_records \(record.kind.rawValue) \(record.key) \(version)"
    }

    private static func path(_ record: CertificateRecord) -> String {
        "certificate_records, kind '\(record.kind.rawValue)', key '\(record.key)'"
    }

    private func writing(
        _ record: CertificateRecord, _ body: @escaping @Sendable (any SQLConnection) throws -> Void
    ) async throws(StoreFailure) {
        let turn = turn
        try await asking(record, writes: true) { connection in
            guard try turn.isHeld(connection) else {
                throw StoreFailure(
                    path: Self.path(record), problem: "was not saved, since this instance's turn was over",
                    cure: "nothing: whoever has the turn next goes on with it", isTakenOver: true)
            }
            try body(connection)
        }
    }

    private func asking<Result: Sendable>(
        _ record: CertificateRecord, writes: Bool = false, _ body: @escaping @Sendable (any SQLConnection) throws -> Result
    ) async throws(StoreFailure) -> Result {
        do {
            return writes ? try await database.write(body) : try await database.read(body)
        } catch let failure as StoreFailure {
            throw failure
        } catch {
            throw StoreFailure(
                path: Self.path(record), problem: "cannot be \(writes ? "written" : "read") (\(error))",
                cure: "gatehouse waits for its database, and tries again")
        }
    }
}
