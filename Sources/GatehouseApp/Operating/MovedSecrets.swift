import GateCore
import GatePostgres
import GateSQL
import GateStores
import Glibc

/// The secrets of an installation that is moved to another database.
///
/// To Postgres `secrets.toml` goes by itself: the first start there takes it over, and until then the way back is open. Back to SQLite it is
/// written anew. From one Postgres to another the sealed text is copied as it stands.
struct MovedSecrets: Sendable {
    private let configuration: Configuration
    private let source: SQLSharedSecretStore?
    private let target: SQLSharedSecretStore?

    init(_ configuration: Configuration, from source: any SQLDatabase, to target: any SQLDatabase) {
        self.configuration = configuration
        self.source = source is PostgresDatabase ? SQLSharedSecretStore(source) : nil
        self.target = target is PostgresDatabase ? SQLSharedSecretStore(target) : nil
    }

    /// The tables of the target in which there are secrets: they would be believed instead of those that come.
    ///
    /// - Throws: `StorageError`.
    func occupiedTables() async throws -> [String] { try await target?.find(SharedSecrets.row) == nil ? [] : ["shared_secrets"] }

    /// Looks whether the secrets can be carried, before anything else is.
    ///
    /// - Throws: `SecretsError` where they cannot be opened; `StorageError`.
    func prepare() async throws { _ = try await opened() }

    /// - Throws: `SecretsError`, `StorageError`.
    func carry() async throws {
        guard let stored = try await opened() else { return }
        if let target, let row = try await source?.find(SharedSecrets.row) {
            guard try await target.replace(SharedSecrets.row, version: nil, by: row) else {
                throw StorageError.busy(reason: "somebody else has written secrets to the target")
            }
        } else {
            try write(stored.secrets)
        }
    }

    /// The source's secrets, where it is shared and has any: it has none before its first start.
    private func opened() async throws -> StoredSecrets? {
        guard let source, try await source.find(SharedSecrets.row) != nil else { return nil }
        let place = configuration.clusterKeyPlace
        guard let key = try configuration.findClusterKey() else { throw SharedSecrets.missingKey(place) }
        return try await SharedSecrets(source, key, keyPlace: place, entropy: SystemEntropy()).load()
    }

    /// What is there already was left over by something else; it is kept under another name.
    private func write(_ secrets: Secrets) throws(SecretsError) {
        let file = SecretsFile(folder: configuration.dataDirectory)
        if access(file.path, F_OK) == 0 {
            guard rename(file.path, VacantPath.of(file.path + ".replaced", at: SystemTime().now())) == 0 else {
                throw SecretsError(
                    path: file.path, problem: "cannot be renamed (\(String(cString: strerror(errno))))",
                    cure: "move it away: the secrets of the database come in its place")
            }
        }
        try file.write(secrets)
    }
}
