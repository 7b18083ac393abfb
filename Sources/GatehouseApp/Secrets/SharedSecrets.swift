package import GateCore
import GateCrypto
package import GateStores

/// Secrets in the database that instances share, sealed under their cluster key.
package struct SharedSecrets: SecretsStore {
    static let row = "server"
    private static let purpose = "server secrets"

    private let rows: SQLSharedSecretStore
    private let key: ClusterKey
    /// Where the key is from, for messages.
    private let keyPlace: String
    private let entropy: any Entropy

    package init(_ rows: SQLSharedSecretStore, _ key: ClusterKey, keyPlace: String, entropy: any Entropy) {
        self.rows = rows
        self.key = key
        self.keyPlace = keyPlace
        self.entropy = entropy
    }

    package var place: String { "the secrets in the database (shared_secrets)" }

    /// Twice the time within which every instance has heard of new keys, or asks for them (`MemoryLease`).
    package var settling: Duration { .seconds(2) }

    package func load() async throws -> StoredSecrets? {
        guard let row = try await rows.find(Self.row) else { return nil }
        guard row.keyCheck == key.check else { throw Self.wrongKey(keyPlace) }
        guard let content = try key.sealing(Self.purpose).open(row.sealed, label: Self.label(row.version)) else {
            throw SecretsError(path: place, problem: "they were changed by somebody without the cluster key", cure: Self.restore)
        }
        let secrets = try SecretsDocument.read(String(decoding: content.exposed, as: UTF8.self), path: place)
        return StoredSecrets(secrets: secrets, version: SecretsVersion(text: "\(row.version)"))
    }

    package func replace(_ version: SecretsVersion?, by secrets: Secrets) async throws -> SecretsVersion? {
        let last = version.flatMap { Int64($0.text) }
        let next = last.map { $0 + 1 } ?? firstVersion()
        let sealed = try key.sealing(Self.purpose).seal(
            Secret(SecretsDocument.text(of: secrets)), label: Self.label(next), entropy: entropy)
        let isDone = try await rows.replace(
            Self.row, version: last, by: .init(version: next, sealed: sealed, keyCheck: key.check))
        return isDone ? SecretsVersion(text: "\(next)") : nil
    }

    /// By chance: where the row was deleted and secrets made anew, no version is one that an instance knows from before.
    private func firstVersion() -> Int64 { Int64(entropy.uint64() >> 12) + 1 }

    private static func label(_ version: Int64) -> String { "\(row) \(version)" }

    static func wrongKey(_ place: String) -> SecretsError {
        SecretsError(
            path: place, problem: "is not the cluster key of this database's instances",
            cure: "copy cluster.key from the data folder of one of them (mode 0600), or see that database.url is right")
    }

    static func missingKey(_ path: String) -> SecretsError {
        SecretsError(
            path: path, problem: "is missing, and the database holds secrets of other instances that are sealed under it",
            cure: "copy cluster.key (mode 0600) from the data folder of an instance that has it, or give it by database.cluster_key")
    }

    private static let restore =
        "restore the database from a dump, or stop all instances and delete the row (DELETE FROM shared_secrets): new secrets are then made, and everyone has to sign in again"
}
