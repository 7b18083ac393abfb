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

    /// - Throws: `SecretsError` where the source's cannot be opened; `StoreFailure`.
    func carry() async throws {
        // Without a key nothing was ever sealed.
        guard let source, let key = try configuration.findClusterKey() else { return }
        let records = store(source, key)
        guard let target else {
            let folder = CertificateBackend.folder(configuration)
            // What is there already was left over by something else; it is kept under another name.
            if access(folder.folder, F_OK) == 0 {
                rename(folder.folder, VacantPath.of(folder.folder + ".replaced", at: SystemTime().now()))
            }
            try folder.open()
            _ = try await folder.addAll(of: records)
            return
        }
        _ = try await store(target, key).addAll(of: records)
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
