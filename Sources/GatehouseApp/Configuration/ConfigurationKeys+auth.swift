import GateCore
import GateCrypto

extension Configuration {
    static let authKeys = [
        ConfigurationKey(
            "auth.registration", \.auth.registration, .choice(),
            "Who may register: open (everyone), invite (whoever has an invitation) or closed (nobody)."),
        ConfigurationKey(
            "auth.access_token_lifetime", \.auth.accessTokenLifetime, .duration(.seconds(10)...(.seconds(30 * 86_400))),
            "How long an access token is valid. It can be at most as long as a session."),
        ConfigurationKey(
            "auth.session_lifetime", \.auth.sessionLifetime, .duration(.seconds(60)...(.seconds(400 * 86_400))),
            "When a session ends for good, however often it is refreshed."),
        ConfigurationKey(
            "auth.refresh_grace", \.auth.refreshGrace, .duration(.zero ... .seconds(60)),
            "For how long after its use a refresh token gives the same successor again, for answers that were lost and for parallel "
                + "requests. Later use is taken for theft and ends the session."),
        ConfigurationKey(
            "auth.signing", \.auth.signing, .choice(),
            "How access tokens are signed: HS256 (one secret), EdDSA or ES256 (public keys at /.well-known/jwks.json)."),
        ConfigurationKey(
            "auth.jwt_secret", \.auth.jwtSecret, .optional(.signingSecret), aliases: ["JWT_SECRET"], isSecret: true,
            derivedDefault: "generated at first start, kept in secrets.toml", recipe: "openssl rand -base64 48",
            "The secret that signs HS256 tokens, 32 characters at least. Needed only where others verify the tokens with it."),
        ConfigurationKey(
            "auth.issuer", \.auth.issuer, .claim, derivedDefault: "public_url", "The claim iss of access tokens."),
        ConfigurationKey(
            "auth.audience", \.auth.audience, .claim, derivedDefault: "public_url", "The claim aud of access tokens."),
        ConfigurationKey(
            "auth.bcrypt_cost", \.auth.bcryptCost, .integer(10...16),
            "The cost of a password's hash: each step more doubles the work of an attacker, and of every log-in."),
        ConfigurationKey(
            "auth.hash_threads", \.auth.hashThreads, .integer(1...256), derivedDefault: "the number of cores",
            "How many passwords are hashed at once."),
        ConfigurationKey(
            "auth.hash_queue", \.auth.hashQueue, .integer(1...100_000),
            "How many passwords may wait to be hashed; beyond it the answer is 503 with Retry-After."),
        ConfigurationKey(
            "auth.password.min_length", \.auth.password.minLength, .integer(8...128),
            "The fewest characters of a password (NIST SP 800-63B: 8 or more)."),
        ConfigurationKey(
            "auth.password.max_length", \.auth.password.maxLength, .integer(64...4096),
            "The most bytes (UTF-8) of a password; all of them count."),
    ]

    private static let siteSubjectKey = ConfigurationKey(
        "limits.policies.site.key", \.limits.siteSubject, .choice(),
        "Whom the policy counts for: user (the network where nobody is signed in), network or session.")

    static let limitKeys: [ConfigurationKey] =
        [
            ConfigurationKey(
                "limits.backend", \.limits.backend, .choice(), derivedDefault: "redis where limits.redis_url is set, else memory",
                "Where limits are counted: memory, in this process, or redis, for all instances together."),
            ConfigurationKey(
                "limits.redis_url", \.limits.redisURL, .optional(.redisURL), aliases: ["REDIS_URL"], isSecret: true,
                example: "redis://127.0.0.1:6379",
                "Redis 6 or later, or Valkey: redis://USER:PASSWORD@HOST:6379/0, rediss:// with TLS, unix:///run/redis/redis-server.sock, or "
                    + "redis+sentinel://HOST:26379,HOST:26379/NAME. While it is gone, each instance counts by itself."),
            ConfigurationKey(
                "limits.max_keys", \.limits.maxKeys, .integer(1000...100_000_000),
                "The most clients that are counted at once; it bounds the memory that an attack can take."),
        ]
        + Limits.PolicyName.allCases.flatMap { name in
            [
                ConfigurationKey(
                    "limits.policies.\(name.rawValue).limit", \.limits.policies[name].limit, .integer(1...1_000_000),
                    "The most requests in any window: \(name.documentation)."),
                ConfigurationKey(
                    "limits.policies.\(name.rawValue).window", \.limits.policies[name].window,
                    .duration(.seconds(1)...(.seconds(7 * 86_400))), "The window in which they are counted."),
            ] + (name == .site ? [siteSubjectKey] : [])
        } + [
            ConfigurationKey(
                "limits.failed_login.free", \.limits.failedLogin.free, .integer(0...100),
                "How many failed log-ins in a row, per network and address, cost no wait."),
            ConfigurationKey(
                "limits.failed_login.first_wait", \.limits.failedLogin.firstWait, .duration(.milliseconds(100)...(.seconds(3600))),
                "The wait after the first failure beyond those; each further one doubles it."),
            ConfigurationKey(
                "limits.failed_login.max_wait", \.limits.failedLogin.maxWait, .duration(.milliseconds(100)...(.seconds(86_400))),
                "The longest wait. It is bounded so that nobody can be locked out for good."),
            ConfigurationKey(
                "limits.failed_login.remember", \.limits.failedLogin.remember, .duration(.seconds(60)...(.seconds(30 * 86_400))),
                "How long failures are remembered; a successful log-in clears them."),
        ]
}

extension Configuration.Limits.PolicyName {
    fileprivate var documentation: String {
        switch self {
        case .api: "all calls of the API, per user, else per network"
        case .site: "requests to sites that name no other policy in limits"
        case .auth: "all calls that take credentials, per network"
        case .login: "log-ins, per network"
        case .loginAccount: "log-ins to one address, per network"
        case .register: "registrations, per network"
        case .passwordReset: "password resets, per network"
        }
    }
}
