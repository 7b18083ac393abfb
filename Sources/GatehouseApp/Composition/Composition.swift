import GateAPI
import GateCore
import GateCrypto
import GateHTTP
import GateIdentity
import GateLimits
import GateSQL
import GateStores
import Logging

/// Everything that answers, put together from the configuration, before anything listens.
///
/// The server and the command line use the same: where no server runs, a command composes this in its own process.
struct Composition: Sendable {
    let configuration: Configuration
    let backends: Backends
    let identity: Identity
    let health: HealthReport
    let metrics: MetricsRegistry
    let api: API
    let admin: AdminAPI
    private let log: Logger

    /// - Throws: `StorageError`; `CommandFailure` for what is wrong with the data folder.
    init(_ configuration: Configuration, time: any TimeSource, entropy: any Entropy, log: Logger) async throws {
        self.configuration = configuration
        self.log = log
        let secretsFile = SecretsFile(folder: configuration.dataDirectory)
        let secrets = try Self.readSecrets(secretsFile, configuration, time: time, entropy: entropy)
        backends = try await Backends.open(configuration, time: time, log: log)
        for migration in try await Backends.migrations(configuration).up(backends.database, time: time) {
            log.info("The database was migrated", metadata: ["migration": "\(migration.version) \(migration.name)"])
        }
        let database = backends.database
        identity = Identity(
            users: SQLUserStore(database), sessions: SQLSessionStore(database), organisations: SQLOrganisationStore(database),
            revocationStore: SQLRevocationStore(database), loginFailures: SQLLoginFailureStore(database),
            passwords: PasswordHasher(
                cost: configuration.auth.bcryptCost, threads: configuration.auth.hashThreads, queueLimit: configuration.auth.hashQueue,
                entropy: entropy, time: time),
            accessTokens: AccessTokenIssuer(
                issuer: configuration.auth.issuer, audience: configuration.auth.audience, keys: try secrets.signingKeyRing(configuration.auth.signing.algorithm, given: configuration.auth.jwtSecret)),
            sessionTokens: SessionTokenIssuer(key: secrets.sessionKeys.current, previous: secrets.sessionKeys.previous),
            rules: IdentityRules(configuration), time: time, entropy: entropy)
        try await identity.start()
        health = HealthReport(version: GatehouseVersion.current, components: [DatabaseComponent(database: database, log: log)], time: time)
        metrics = MetricsRegistry()
        metrics.register(identity: identity, backends: backends, time: time)

        let cors = CORSPolicy(origins: configuration.cors.origins.map(\.description))
        api = API(
            services: APIServices(
                identity: identity, limits: RequestLimits(store: backends.limits, policies: configuration.limits.requestPolicies),
                health: health, cors: cors,
                crossSite: CrossSiteRule(ownOrigin: configuration.publicURL.description, allowed: cors),
                securityHeaders: SecurityHeaders(configuration), cookie: SessionCookie(isSecure: configuration.cookiesAreSecure),
                publicURL: configuration.publicURL.description, bodyLimit: configuration.http.maxBody.bytes, time: time, log: log))
        let rotation = SecretRotation(
            file: secretsFile, secrets: secrets, configuration: configuration, identity: identity, time: time, entropy: entropy)
        let metrics = metrics
        admin = AdminAPI(
            services: AdminServices(
                identity: identity, limits: backends.limits, health: health, rotateSecrets: { try await rotation.rotate() },
                metrics: { metrics.text }, time: time, log: log))
    }

    private static func readSecrets(
        _ file: SecretsFile, _ configuration: Configuration, time: any TimeSource, entropy: any Entropy
    ) throws(CommandFailure) -> Secrets {
        do throws(SecretsError) {
            var secrets = try file.open(configuration.auth.signing.algorithm, at: time.now(), entropy: entropy)
            secrets.prune(at: time.now(), overlap: configuration.auth.secretOverlap)
            return secrets
        } catch {
            throw CommandFailure(.configuration, error.description)
        }
    }

    /// Ends what has threads of its own, the database last.
    func close() async {
        await identity.passwords.shutdown()
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

extension SecurityHeaders {
    fileprivate init(_ configuration: Configuration) {
        let headers = configuration.headers
        self.init(
            hsts: headers.hsts > .zero ? headers.hsts : nil,
            contentSecurityPolicy: headers.contentSecurityPolicy.isEmpty ? nil : headers.contentSecurityPolicy,
            frameOptions: headers.frameOptions == .off ? nil : headers.frameOptions.rawValue)
    }
}

extension Configuration.Limits {
    fileprivate var requestPolicies: [RequestLimits.Policy: LimitPolicy] {
        var all: [RequestLimits.Policy: LimitPolicy] = [:]
        for name in PolicyName.allCases {
            guard let key = RequestLimits.Policy(rawValue: name.rawValue) else { continue }
            all[key] = LimitPolicy(name: name.rawValue, limit: policies[name].limit, window: policies[name].window)
        }
        return all
    }
}
