import GateACME
import GateCore
import GatePostgres
import GateSQL
import GateStores
import Glibc

/// What an installation that is moved to another database has from authorities.
///
/// To Postgres the folder `acme` goes by itself: the first start there takes it over. Back to SQLite it is written anew. From one Postgres
/// to another the records are copied, under the same key.
struct MovedCertificates: Sendable {
    private let configuration: Configuration
    private let source: PostgresDatabase?
    private let target: PostgresDatabase?

    init(_ configuration: Configuration, from source: any SQLDatabase, to target: any SQLDatabase) {
        self.configuration = configuration
        self.source = source as? PostgresDatabase
        self.target = target as? PostgresDatabase
    }

    /// The tables of the target in which there are certificates: they would be believed instead of those that come.
    ///
    /// - Throws: `StorageError`.
    func occupiedTables() async throws -> [String] {
        let isOccupied = try await target?.read { connection in
            try connection.row("SELECT 1 FROM certificate_records LIMIT 1") { _ throws(StorageError) in true } ?? false
        }
        return isOccupied == true ? ["certificate_records"] : []
    }

    /// What is to be carried, in clear: in memory only.
    struct Cargo: Sendable {
        fileprivate let key: ClusterKey
        fileprivate let records: [(record: CertificateRecord, content: Secret)]
    }

    /// Reads all records, before anything is written to the target: one that cannot be opened must not leave it half full.
    ///
    /// - Returns: `nil` where the source has none to be carried.
    /// - Throws: `SecretsError` where the source's cannot be opened; `StoreFailure`.
    func prepare() async throws -> Cargo? {
        // Without a key nothing was ever sealed.
        guard let source, let key = try configuration.findClusterKey() else { return nil }
        return Cargo(key: key, records: try await store(source, key).all())
    }

    /// - Throws: `StoreFailure`.
    func carry(_ cargo: Cargo?) async throws {
        guard let cargo else { return }
        if let target {
            let records = store(target, cargo.key)
            for (record, content) in cargo.records { _ = try await records.add(content, as: record) }
        } else {
            let folder = CertificateBackend.folder(configuration)
            // What is there already was left over by something else; it is kept under another name.
            if access(folder.folder, F_OK) == 0 {
                _ = try folder.rename(
                    suffix: ".replaced", at: SystemTime().now(), cure: "move it away: it is not used by this installation")
            }
            try folder.open()
            for (record, content) in cargo.records { _ = try folder.add(content, as: record) }
        }
    }

    /// For a process that is alone with it: nobody has the turn.
    private func store(_ database: any SQLDatabase, _ key: ClusterKey) -> SQLCertificateStore {
        let time = SystemTime()
        let entropy = SystemEntropy()
        let turn = LeasedTurn(
            MemoryLeaseStore(time: time), holder: Instance.ID(at: time.now(), entropy: entropy), time: time)
        return SQLCertificateStore(database, sealing: key.sealing("certificates"), turn: turn, entropy: entropy)
    }
}
