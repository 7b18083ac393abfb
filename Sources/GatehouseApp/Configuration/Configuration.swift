package import GateBackup
package import GateCore
package import GateCrypto
package import Logging

/// Everything an operator can set, read and checked. The initial values are the defaults, and are said nowhere else; those that
/// depend on other settings (``ConfigurationKey/derivedDefault``) are put in by ``Configuration/load(_:)``.
package struct Configuration: Sendable {
    package var publicURL = WebOrigin(scheme: .http, host: "127.0.0.1", port: 8080)
    /// As given: relative to the working folder unless it begins with `/`.
    package var dataDirectory = "gatehouse-data"
    package var listen = Listen()
    package var http = HTTP()
    package var tls = TLS()
    package var acme = ACME()
    package var database = Database()
    package var auth = Auth()
    package var limits = Limits()
    package var redis = Redis()
    package var cors = CORS()
    package var headers = Headers()
    package var log = Log()
    package var metrics = Metrics()
    package var backup = Backup()
    package var api = API()
    /// In the order in which they were written.
    package var sites: [Site] = []

    package struct Listen: Sendable {
        package var http: [ListenAddress] = [.tcp(IPAddress(ipv4: 0x7F00_0001), port: 8080)]
        package var https: [ListenAddress] = []
        package var trustedProxies: [IPNetwork] = []
        /// The path of the admin socket.
        package var admin = "gatehouse-data/admin.sock"
    }

    /// What one connection and one request may cost.
    package struct HTTP: Sendable {
        package var maxBody = ByteSize(bytes: 1 << 20)
        package var maxHeaderSize = ByteSize(bytes: 32 << 10)
        package var maxHeaderCount = 100
        package var headerTimeout = Duration.seconds(10)
        package var bodyTimeout = Duration.seconds(30)
        package var writeTimeout = Duration.seconds(30)
        package var idleTimeout = Duration.seconds(75)
        package var maxConnections = 10_000
        package var shutdownTimeout = Duration.seconds(30)
        package var compression = true
    }

    package struct Database: Sendable {
        package var url = DatabaseURL.sqlite(path: "gatehouse.db")
        /// The most connections to Postgres.
        package var poolSize = 10
        /// `nil`: the one in the data folder.
        package var clusterKey: ClusterKey?
    }

    package struct Auth: Sendable {
        package var registration = Registration.open
        package var accessTokenLifetime = Duration.seconds(15 * 60)
        package var sessionLifetime = Duration.seconds(30 * 86_400)
        package var refreshGrace = Duration.seconds(10)
        package var signing = SigningAlgorithm.hs256
        /// `nil`: the key that was generated at first start is used.
        package var jwtSecret: Secret?
        package var issuer = "http://127.0.0.1:8080"
        package var audience = "http://127.0.0.1:8080"
        package var bcryptCost = 12
        package var hashThreads = 1
        package var hashQueue = 128
        package var password = Password()

        package enum Registration: String, CaseIterable, Sendable { case open, invite, closed }

        package struct Password: Sendable {
            /// In characters (Unicode code points), as NIST SP 800-63B §5.1.1.2 counts.
            package var minLength = 10
            /// In bytes of UTF-8.
            package var maxLength = 1024
        }
    }

    package struct Limits: Sendable {
        package var backend = Backend.memory
        package var redisURL: RedisURL?
        package var maxKeys = 1_000_000
        package var policies = Policies()
        /// Whom the policy `site` counts for.
        package var siteSubject = PolicySubject.user
        package var custom: [CustomPolicy] = []
        package var failedLogin = FailedLogin()

        package var policyNames: [String] { PolicyName.allCases.map(\.rawValue) + custom.map(\.name) }

        package enum Backend: String, CaseIterable, Sendable { case memory, redis }

        package struct Policy: Hashable, Sendable {
            package var limit: Int
            package var window: Duration
        }

        package enum PolicyName: String, CaseIterable, Sendable {
            case api, site, auth, login
            case loginAccount = "login-account"
            case register
            case passwordReset = "password-reset"
        }

        package struct Policies: Sendable {
            private var all: [PolicyName: Policy] = [
                .api: Policy(limit: 100, window: .seconds(60)),
                .site: Policy(limit: 1000, window: .seconds(60)),
                .auth: Policy(limit: 10, window: .seconds(15 * 60)),
                .login: Policy(limit: 5, window: .seconds(60)),
                .loginAccount: Policy(limit: 5, window: .seconds(15 * 60)),
                .register: Policy(limit: 3, window: .seconds(3600)),
                .passwordReset: Policy(limit: 3, window: .seconds(3600)),
            ]

            package subscript(_ name: PolicyName) -> Policy {
                get { all[name]! }
                set { all[name] = newValue }
            }
        }

        package struct FailedLogin: Sendable {
            /// So many failures cost no wait.
            package var free = 4
            package var firstWait = Duration.seconds(30)
            package var maxWait = Duration.seconds(3600)
            package var remember = Duration.seconds(86_400)
        }
    }

    package struct Redis: Sendable {
        package var timeout = Duration.milliseconds(250)
        package var connectTimeout = Duration.seconds(2)
        package var caFile: String?
        package var prefix = "gatehouse:"
        package var sentinelPassword: Secret?
    }

    package struct CORS: Sendable {
        package var origins: [WebOrigin] = []
    }

    package struct Headers: Sendable {
        /// The `max-age` of `Strict-Transport-Security`; zero: the header is not sent.
        package var hsts = Duration.zero
        package var frameOptions = FrameOptions.deny
        /// The value of `Content-Security-Policy`; empty: the header is not sent.
        package var contentSecurityPolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

        package enum FrameOptions: String, CaseIterable, Sendable {
            case deny = "DENY"
            case sameOrigin = "SAMEORIGIN"
            case off
        }
    }

    package struct Log: Sendable {
        package var level = Logger.Level.info
        package var format = Format.auto
        package var access = Access.all

        package enum Format: String, CaseIterable, Sendable { case auto, json, text }
        package enum Access: String, CaseIterable, Sendable { case all, errors, off }
    }

    package struct Metrics: Sendable {
        /// Where `/metrics` is served besides the admin socket.
        package var address: ListenAddress?
    }
}

extension Configuration {
    package struct Backup: Sendable {
        /// Relative names are relative to the data folder.
        package var directory = "backups"
        /// Zero: all.
        package var keep = 14
        /// Zero: however old.
        package var keepFor = Duration.zero
        package var includeSecrets = false
        package var recipients: [AgeRecipient] = []
        /// Zero: however long ago.
        package var maxAge = Duration.seconds(36 * 3600)
    }

    /// Where backups are kept.
    package var backupDirectory: String { backup.directory.hasPrefix("/") ? backup.directory : dataDirectory + "/" + backup.directory }

    /// Whether cookies carry `Secure` and the `__Host-` prefix (RFC 6265bis §4.1.3).
    package var cookiesAreSecure: Bool { publicURL.scheme == .https }

    /// The database file: relative names are relative to the data folder. `nil` where the database is elsewhere.
    package var databasePath: String? {
        switch database.url {
        case .sqlite(let path): filePath(path)
        case .postgres: nil
        }
    }

    func filePath(_ path: String) -> String { path.hasPrefix("/") ? path : dataDirectory + "/" + path }
}
