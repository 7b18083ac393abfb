import GateCore
import GateCrypto
import GateStores
import Glibc
import Logging

extension SharedSecrets {
    /// What an instance begins with.
    struct Opened: Sendable {
        let store: SharedSecrets
        let key: ClusterKey
        let stored: StoredSecrets
    }

    /// Opens the secrets that instances share. The first one makes the cluster key, unless it is given, and takes the secrets of the data
    /// folder over, or makes them; `secrets.toml` is renamed then, so that nobody believes it any more.
    ///
    /// - Throws: `SecretsError` where the key is missing or another's; `StorageError`.
    static func open(
        _ configuration: Configuration, _ rows: SQLSharedSecretStore, _ algorithms: [SigningAlgorithm], at now: Timestamp,
        entropy: any Entropy, log: Logger
    ) async throws -> Opened {
        let file = ClusterKeyFile(folder: configuration.dataDirectory)
        let keyPlace = configuration.clusterKeyPlace
        let isFirst = try await rows.find(row) == nil
        let known = try configuration.findClusterKey()
        guard known != nil || isFirst else { throw missingKey(file.path) }
        let key = known ?? ClusterKey.generate(entropy)
        // Before anything is sealed under it.
        if known == nil {
            try file.write(key)
            log.notice("A cluster key was made: each further instance needs a copy of it, once", metadata: ["file": "\(file.path)"])
        }
        let store = SharedSecrets(rows, key, keyPlace: keyPlace, entropy: entropy)
        let before = SecretsFile(folder: configuration.dataDirectory)
        let stored: StoredSecrets
        do {
            stored = try await store.open(algorithms, initial: isFirst ? before.read() : nil, at: now, entropy: entropy)
        } catch let error as SecretsError where known == nil && error == wrongKey(keyPlace) {
            // Another instance was first at the same moment: nothing is sealed under this key.
            file.remove()
            throw missingKey(file.path)
        }
        try retire(before, stored.secrets, at: now, log)
        return Opened(store: store, key: key, stored: stored)
    }

    /// Where `secrets.toml` is once the database has secrets; with the date behind it where something is there already.
    static let retiredName = "secrets.toml.in-database"

    /// - Parameter shared: what is in the database.
    private static func retire(_ file: SecretsFile, _ shared: Secrets, at now: Timestamp, _ log: Logger) throws(SecretsError) {
        guard access(file.path, F_OK) == 0 else { return }
        // What cannot be read was not taken over.
        let own = try? file.read()
        let isShared = own.map { own in shared.session.contains { $0.material == own.sessionKeys.current } } ?? false
        let retired = VacantPath.of(file.path.dropLast("secrets.toml".count) + retiredName, at: now)
        guard rename(file.path, retired) == 0 else {
            throw SecretsError(
                path: file.path, problem: "cannot be renamed (\(String(cString: strerror(errno))))",
                cure: "rename it: the database has the secrets now")
        }
        let renamed: Logger.Metadata = ["renamed_to": "\(retired)"]
        if isShared {
            log.notice("The secrets are in the database: secrets.toml is not used any more", metadata: renamed)
        } else {
            log.warning(
                "secrets.toml is not used: the database has the secrets of other instances, and what was signed with those of the file is refused",
                metadata: renamed)
        }
    }
}
