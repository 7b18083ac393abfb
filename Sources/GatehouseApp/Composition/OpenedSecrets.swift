import GateCore
import GatePostgres
import GateStores
import Logging

/// The secrets of this server from where its configuration keeps them: in the data folder, or where instances share them.
struct OpenedSecrets: Sendable {
    let secrets: ServerSecrets
    /// `nil` where one process has the data to itself.
    let clusterKey: ClusterKey?

    /// - Throws: `CommandFailure` for what cannot be used; `StorageError`.
    init(_ configuration: Configuration, _ backends: Backends, time: any TimeSource, entropy: any Entropy, log: Logger) async throws {
        do {
            let now = time.now()
            guard let rows = backends.sharedSecrets else {
                let file = SecretsFile(folder: configuration.dataDirectory)
                let stored = try await file.open(configuration.signingAlgorithms, at: now, entropy: entropy)
                secrets = ServerSecrets(file, stored, configuration, time: time)
                clusterKey = nil
                return
            }
            let opened = try await SharedSecrets.open(
                configuration, rows, configuration.signingAlgorithms, at: now, entropy: entropy, log: log)
            secrets = ServerSecrets(opened.store, opened.stored, configuration, time: time)
            clusterKey = opened.key
            try await SharedSettings(configuration, opened.key).compare(rows, log)
        } catch let error as SecretsError {
            throw CommandFailure(.configuration, error.description)
        }
    }
}
