import GateCore
import GateCrypto
import GateStores
import Logging

/// Settings that have to be the same on every instance of one database, or tokens of one are none to the other.
struct SharedSettings {
    /// By the setting's name; of a secret, what tells it from others.
    let values: [(name: String, value: String)]

    init(_ configuration: Configuration, _ key: ClusterKey) {
        let auth = configuration.auth
        values = [
            ("auth.issuer", auth.issuer), ("auth.audience", auth.audience), ("auth.signing", auth.signing.rawValue),
            ("auth.jwt_secret", auth.jwtSecret.map { key.fingerprint(of: $0) } ?? "generated"),
        ]
    }

    /// Warns of what another instance, or this one before, was started with, and notes what this one has. A change that is made on one instance
    /// after the other is warned of once.
    ///
    /// - Throws: `StorageError`.
    func compare(_ rows: SQLSharedSecretStore, _ log: Logger) async throws {
        for (name, value) in values {
            guard let before = try await rows.exchangeSetting(name, value), before != value else { continue }
            log.warning(
                "A setting differs from what the instance that started last has: it must be the same on all, or they refuse each other's tokens",
                metadata: ["setting": "\(name)", "here": "\(value)", "there": "\(before)"])
        }
    }
}
