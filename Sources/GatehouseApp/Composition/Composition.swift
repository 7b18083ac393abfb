import GateAPI
import GateAccess
import GateCore
import GateCrypto
import GateHTTP
import GateIdentity
import GateLimits
import GateSQL
import GateSQLite
import GateStores
import Logging

/// What a server stands on, put together from the configuration, before anything listens.
///
/// The server and the command line use the same: where no server runs, a command composes this in its own process.
struct Composition: Sendable {
    let configuration: Configuration
    let backends: Backends
    let identity: Identity
    let health: HealthReport
    let metrics: MetricsRegistry
    let keys: KeyDistribution
    /// Under which what instances share is sealed; `nil` where one process has the data to itself.
    let clusterKey: ClusterKey?
    private let adminServices: AdminServices
    let certificates: ServerCertificates
    private let backups: Backups
    let doctorProof: DoctorProof
    let time: any TimeSource
    let entropy: any Entropy
    private let log: Logger

    /// - Throws: `StorageError`; `CommandFailure` for what is wrong with the data folder.
    init(_ configuration: Configuration, time: any TimeSource, entropy: any Entropy, log: Logger) async throws {
        self.configuration = configuration
        self.time = time
        self.entropy = entropy
        self.log = log
        backends = try await Backends.open(configuration, time: time, entropy: entropy, log: log)
        let backups = Backups(configuration, database: backends.database as? SQLiteDatabase, time: time, entropy: entropy, log: log)
        self.backups = backups
        let migrations = try Backends.migrations(configuration)
        try await backups.makeBeforeMigration(migrations)
        for migration in try await migrations.up(backends.database, time: time) {
            log.info("The database was migrated", metadata: ["migration": "\(migration.version) \(migration.name)"])
        }
        let database = backends.database
        let opened = try await OpenedSecrets(configuration, backends, time: time, entropy: entropy, log: log)
        let secrets = opened.secrets
        clusterKey = opened.clusterKey
        let keys = try KeyDistribution(configuration, secrets, time: time)
        self.keys = keys
        identity = Identity(
            users: SQLUserStore(database), sessions: SQLSessionStore(database), organisations: SQLOrganisationStore(database),
            revocationStore: SQLRevocationStore(database), loginFailures: SQLLoginFailureStore(database),
            passwords: PasswordHasher(
                cost: configuration.auth.bcryptCost, threads: configuration.auth.hashThreads, queueLimit: configuration.auth.hashQueue,
                entropy: entropy, time: time),
            accessTokens: keys.accessTokens, accountHashKey: secrets.accountHashKey, sessionTokens: keys.sessionTokens,
            changes: backends.changes,
            refreshKeys: {
                // What cannot be used is nothing new: the keys of before go on. SharedKeysService tells the operator.
                do { try await keys.refresh() } catch is SecretsError {}
            },
            rules: IdentityRules(configuration), time: time, entropy: entropy)
        try await identity.start()
        let metrics = MetricsRegistry()
        self.metrics = metrics
        let certificateMetrics = CertificateMetrics()
        let backends = backends
        let certificates = ServerCertificates(
            configuration,
            opened.clusterKey.map { .shared(configuration, backends, $0, time: time, entropy: entropy) } ?? .files(configuration),
            time: time, entropy: entropy, log: log, observe: certificateMetrics.note)
        self.certificates = certificates
        if configuration.tls.mode != .off {
            certificateMetrics.register(in: metrics, names: { certificates.configuration.certifiedNames }, time: time)
        }
        var components: [any HealthComponent] = [DatabaseComponent(database: database, log: log)]
        if let redis = backends.redis { components.append(RedisComponent(limits: redis.limits)) }
        if configuration.tls.mode != .off { components.append(CertificateComponent(certificates: certificates)) }
        components.append(BackupComponent(history: backups.history, maxAge: configuration.backup.maxAge, time: time))
        health = HealthReport(version: GatehouseVersion.current, components: components, time: time)
        metrics.register(identity: identity, backends: backends)
        metrics.register(backups.history)
        doctorProof = DoctorProof(secret: opened.clusterKey?.doctorSecret ?? secrets.accountHashKey)
        adminServices = AdminServices(
            identity: identity, limits: backends.limits, policyNames: { configuration.limits.policyNames }, health: health,
            certificates: certificates, backups: backups,
            rotateSecrets: { try await keys.rotate(at: time.now(), entropy: entropy) },
            metrics: { metrics.text }, time: time, log: log)
    }

    /// What applications are told with.
    var assertions: AssertionIssuer { keys.assertions }

    /// The operator's calls.
    ///
    /// - Parameter reload: reads the configuration again; `nil` where no server runs.
    func admin(reload: ConfigurationReload? = nil) -> AdminAPI {
        var services = adminServices
        if let reload {
            services.reload = { await reload.reload() }
            services.policyNames = { await reload.policyNames }
            services.migrations = { [configuration, backends] in
                let steps = try await Backends.migrations(configuration).status(backends.database)
                return .array(steps.map(\.json))
            }
        }
        return AdminAPI(services: services)
    }

    /// Ends what has threads of its own, the database last.
    func close() async {
        backups.stop()
        await identity.passwords.shutdown()
        await backends.redis?.close()
        await backends.database.close()
    }
}

extension IdentityRules {
    fileprivate init(_ configuration: Configuration) {
        self.init()
        let auth = configuration.auth
        registration =
            switch auth.registration {
            case .open: .open
            case .invite: .invite
            case .closed: .closed
            }
        accessTokenLifetime = auth.accessTokenLifetime
        sessionLifetime = auth.sessionLifetime
        refreshGrace = auth.refreshGrace
        password.minimumLength = auth.password.minLength
        password.maximumSize = auth.password.maxLength
        let failed = configuration.limits.failedLogin
        loginBackoff = LoginBackoff(
            freeFailures: failed.free, firstWait: failed.firstWait, longestWait: failed.maxWait, memory: failed.remember)
    }
}
