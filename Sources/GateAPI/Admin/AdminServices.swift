import GateAccess
package import GateCore
package import GateIdentity
package import GateLimits
package import Logging

/// What the operator's calls are given to work with.
package struct AdminServices: Sendable {
    package var identity: Identity
    package var limits: any LimitStore
    package var health: HealthReport
    package var certificates: any CertificateOperations
    package var backups: any BackupOperations
    /// The names of the policies that are counted under.
    package var policyNames: @Sendable () async -> [String]
    /// Makes new signing keys and keeps the old ones for verification; answers what was done, in a sentence.
    package var rotateSecrets: @Sendable () async throws -> String
    /// Reads the configuration again; `nil` where no server runs.
    package var reload: (@Sendable () async -> ReloadReport)?
    /// Every step of the schema and its state in the database; `nil` where no server runs.
    package var migrations: (@Sendable () async throws -> JSON)?
    /// Prometheus' text format.
    package var metrics: @Sendable () -> String
    package var time: any TimeSource
    package var log: Logger

    package init(
        identity: Identity, limits: any LimitStore,
        policyNames: @escaping @Sendable () async -> [String] = { RequestLimits.Policy.allCases.map(\.rawValue) }, health: HealthReport,
        certificates: any CertificateOperations, backups: any BackupOperations,
        rotateSecrets: @escaping @Sendable () async throws -> String,
        metrics: @escaping @Sendable () -> String, time: any TimeSource, log: Logger
    ) {
        self.identity = identity
        self.limits = limits
        self.policyNames = policyNames
        self.health = health
        self.certificates = certificates
        self.backups = backups
        self.rotateSecrets = rotateSecrets
        self.metrics = metrics
        self.time = time
        self.log = log
    }
}
