import GateCore
import GateTesting
import Logging
import Testing

@testable import GatehouseApp

@Suite("Configuration")
struct ConfigurationTests {
    @Test("With nothing set, it serves on loopback with its data beside it")
    func defaults() throws {
        let configuration = try load().get().configuration
        #expect(configuration.listen.http.map(\.description) == ["127.0.0.1:8080"])
        #expect(configuration.publicURL.description == "http://127.0.0.1:8080")
        #expect(configuration.dataDirectory == "gatehouse-data")
        #expect(configuration.databasePath == "gatehouse-data/gatehouse.db")
        #expect(configuration.listen.admin == "gatehouse-data/admin.sock")
        #expect(configuration.auth.issuer == "http://127.0.0.1:8080")
        #expect(configuration.auth.hashThreads == 4)
        #expect(configuration.auth.jwtSecret == nil)
        #expect(configuration.headers.hsts == .zero)
        #expect(!configuration.cookiesAreSecure)
        #expect(configuration.limits.policies[.login] == .init(limit: 5, window: .seconds(60)))
        #expect(configuration.limits.policies[.passwordReset] == .init(limit: 3, window: .seconds(3600)))
    }

    @Test("The contract's example is read, as far as this version goes")
    func contract() throws {
        let configuration = try load(
            """
            public_url = "https://app.example.com"      # links, cookies, issuer
            data_dir   = "/var/lib/gatehouse"

            [listen]
            http  = ["0.0.0.0:80", "[::]:80"]
            trusted_proxies = []                        # CIDRs; none by default

            https = ["0.0.0.0:443", "[::]:443"]

            [tls]
            mode = "acme"                               # acme | files | self-signed | off
            # certificate = "…", key = "…"              # for files; watched, swapped without a restart

            [acme]
            email = "admin@example.com"
            domains = ["app.example.com"]               # default: the hosts of public_url and of the sites
            directory = "https://acme-v02.api.letsencrypt.org/directory"
            # ca_file = "…"                             # trust for a private authority's own server

            [database]
            url = "sqlite:gatehouse.db"

            [limits]
            backend = "memory"
            [limits.policies.api]
            limit = 100
            window = "1m"

            [auth]
            registration = "open"
            access_token_lifetime = "7d"
            session_lifetime = "30d"
            signing = "HS256"

            [cors]
            origins = ["https://app.example.com"]
            """
        ).get().configuration
        #expect(configuration.cookiesAreSecure)
        #expect(configuration.headers.hsts == .seconds(365 * 86_400))
        #expect(configuration.listen.http.map(\.description) == ["0.0.0.0:80", "[::]:80"])
        #expect(configuration.databasePath == "/var/lib/gatehouse/gatehouse.db")
        #expect(configuration.auth.accessTokenLifetime == .seconds(7 * 86_400))
        #expect(configuration.auth.audience == "https://app.example.com")
    }

    @Test("Flags over environment over environment file over TOML over defaults")
    func precedence() throws {
        let toml = "log.level = \"trace\""
        func level(
            _ toml: String? = nil, env: String? = nil, variables: [String: String] = [:], flags: [(name: String, value: String)] = []
        ) throws -> String {
            try load(toml, env: env, variables: variables, flags: flags).get().configuration.log.level.rawValue
        }
        let env = "GATEHOUSE_LOG_LEVEL=debug"
        let variables = ["GATEHOUSE_LOG_LEVEL": "warning"]
        #expect(try level() == "info")
        #expect(try level(toml) == "trace")
        #expect(try level(toml, env: env) == "debug")
        #expect(try level(toml, env: env, variables: variables) == "warning")
        #expect(try level(toml, env: env, variables: variables, flags: [("--log-level", "error")]) == "error")
    }

    @Test("PORT changes the port alone, wherever the address was written; the precise variable wins over it")
    func port() throws {
        func addresses(_ toml: String? = nil, _ variables: [String: String], flags: [(name: String, value: String)] = []) throws -> [String]
        {
            try load(toml, variables: variables, flags: flags).get().configuration.listen.http.map(\.description)
        }
        #expect(try addresses(nil, ["PORT": "9000"]) == ["127.0.0.1:9000"])
        #expect(
            try addresses("listen.http = [\"0.0.0.0:80\", \"unix:/run/g.sock\"]", ["PORT": "9000"]) == ["0.0.0.0:9000", "unix:/run/g.sock"])
        #expect(try addresses(nil, ["PORT": "9000", "GATEHOUSE_LISTEN_HTTP": ":80"]) == [":80"])
        #expect(try addresses(nil, ["PORT": "9000"], flags: [("--listen", ":81"), ("--listen", "[::1]:82")]) == [":81", "[::1]:82"])
        #expect(try load(variables: ["PORT": "9000"]).get().configuration.publicURL.description == "http://127.0.0.1:9000")
    }

    @Test("The usual variables mean what they mean elsewhere")
    func usualNames() throws {
        let secret = "0123456789abcdef0123456789abcdef"
        let loaded = try load(variables: [
            "APP_URL": "https://App.Example.com:443/", "CORS_ORIGIN": "https://a.test, http://b.test:8080", "JWT_SECRET": secret,
            "DATABASE_URL": "sqlite:/srv/g.db", "RESEND_API_KEY": "x", "AWS_SES_REGION": "", "HOME": "/root",
            "ACME_EMAIL": "admin@example.com", "DOMAIN": "app.example.com",
        ]).get()
        #expect(loaded.configuration.publicURL.description == "https://app.example.com")
        #expect(loaded.configuration.cors.origins.map(\.description) == ["https://a.test", "http://b.test:8080"])
        #expect(loaded.configuration.auth.jwtSecret == Secret(secret))
        #expect(loaded.configuration.databasePath == "/srv/g.db")
        #expect(loaded.notices == ["environment variable RESEND_API_KEY: set, but not used by this version"])
        #expect(loaded.origins["auth.jwt_secret"] == .environment(variable: "JWT_SECRET"))
    }

    @Test("systemd's folders and credentials are used")
    func systemd() throws {
        let folder = TemporaryFolder()
        folder.write("auth.jwt_secret", "0123456789abcdef0123456789abcdef\n")
        // Of SetCredential=, and of what has nothing to do with this.
        folder.write("gatehouse", "none")
        folder.write("password", "something else")
        let loaded = try load(variables: [
            "CREDENTIALS_DIRECTORY": folder.path, "STATE_DIRECTORY": "/var/lib/gatehouse:/var/lib/other",
        ]).get()
        #expect(loaded.configuration.dataDirectory == "/var/lib/gatehouse")
        #expect(
            loaded.configuration.listen.admin == "/var/lib/gatehouse/admin.sock", "where commands look for it that systemd did not start")
        #expect(loaded.configuration.auth.jwtSecret == Secret("0123456789abcdef0123456789abcdef"))
        #expect(loaded.origins["auth.jwt_secret"] == .credential(path: folder.file("auth.jwt_secret")))
        #expect(load(variables: ["CREDENTIALS_DIRECTORY": folder.file("none")]).messages == [])
    }

    @Test("CHECKLIST 43: what LoadCredential= has passed on from a folder is ours: a name that is no setting's is a fault")
    func folderOfCredentials() throws {
        let folder = TemporaryFolder()
        folder.write("gatehouse_auth.jwt_secret", "0123456789abcdef0123456789abcdef")
        folder.write("gatehouse_acme.eab_hmac_key", "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0")
        let variables = ["CREDENTIALS_DIRECTORY": folder.path]
        let loaded = try load(variables: variables.merging(["GATEHOUSE_ACME_EAB_KEY_ID": "kid"]) { $1 }).get()
        #expect(loaded.configuration.auth.jwtSecret == Secret("0123456789abcdef0123456789abcdef"))
        #expect(loaded.configuration.acme.externalAccount.hmacKey != nil)
        folder.write("gatehouse_auth.jwt_secert", "very-secret")
        let message = try #require(load(variables: variables).messages.first)
        #expect(message.contains("gatehouse_auth.jwt_secert") && message.contains("auth.jwt_secret?") && !message.contains("very-secret"))
    }

    @Test("CHECKLIST 43: check shows everything but secrets, and where it came from")
    func report() throws {
        let secret = "very-secret-0123456789abcdef0123456789abcdef"
        let report = try load("[auth]\nhash_queue = 7", variables: ["JWT_SECRET": secret, "PORT": "81"]).get().report
        #expect(!report.contains("very-secret"))
        #expect(report.contains("jwt_secret = \"<redacted>\""))
        #expect(report.contains("# environment variable JWT_SECRET"))
        #expect(report.split(separator: "\n").contains { $0.hasPrefix("hash_queue = 7 ") && $0.hasSuffix("gatehouse.toml:2:1") })
        #expect(report.split(separator: "\n").contains { $0.hasPrefix("http = [\"127.0.0.1:81\"]") && $0.hasSuffix("variable PORT") })
        for key in Configuration.keys { #expect(report.contains("\(key.path.split(separator: ".").last!) ")) }
    }

    @Test("What check prints is a configuration with the same effect")
    func reportRoundTrip() throws {
        let first = try load(
            "public_url = \"https://a.test\"\nheaders.content_security_policy = \"a \\\" \\\\ b\"\nmetrics.address = \"10.0.0.1:9\""
        )
        .get()
        let second = try load(first.report).get()
        func values(_ loaded: Configuration.Loaded) -> [String?] { Configuration.keys.map { $0.literal(loaded.configuration)?.toml } }
        #expect(values(first) == values(second))
        let unset = Configuration.keys.count { $0.literal(first.configuration) == nil }
        #expect(second.origins.count == Configuration.keys.count - unset)
    }

    @Test("The reference and the example file, with every # removed, are valid and hold the defaults")
    func reference() throws {
        let settings = Configuration.reference().split(separator: "# [[site]]")[0]
        let assignments = settings.split(separator: "\n").compactMap { line -> String? in
            if line.hasPrefix("[") { return String(line) }
            guard line.hasPrefix("# "), let key = line.dropFirst(2).split(separator: " ").first,
                Configuration.keys.contains(where: { $0.path.split(separator: ".").last! == key }), line.contains(" = ")
            else { return nil }
            return String(line.dropFirst(2))
        }
        let toml = assignments.joined(separator: "\n")
        let loaded = try load(toml).get()
        // The example of a value that is unset by default apart.
        #expect(loaded.origins.count == Configuration.keys.count)
        let env = Configuration.environmentExample().split(separator: "\n").filter { $0.hasPrefix("# GATEHOUSE_") }.map { $0.dropFirst(2) }
        #expect(env.count == Configuration.keys.count)
        #expect(load(env: env.joined(separator: "\n")).messages == [])
    }

    @Test("The reference for programs has every key, and no secret's value")
    func referenceForPrograms() {
        let reference = Configuration.referenceJSON
        #expect(reference["settings"]?.array?.compactMap { $0["key"]?.string } == Configuration.keys.map(\.path))
        #expect(reference["site"]?.array?.compactMap { $0["key"]?.string } == Configuration.Site.keys.map(\.path))
        #expect(reference["policy"]?.array?.compactMap { $0["key"]?.string } == ["limit", "window", "key"])
        let secrets = Set(Configuration.keys.filter(\.isSecret).map(\.path))
        #expect(!secrets.isEmpty)
        for entry in reference["settings"]?.array ?? [] {
            let isSecret = secrets.contains(entry["key"]?.string ?? "")
            #expect(entry["secret"]?.bool == isSecret)
            #expect(!isSecret || entry["default"]?.isNull == true)
        }
    }

    @Test("Every key has one path, one variable, and words for the operator")
    func table() {
        let names = Configuration.keys.flatMap { [$0.variable] + $0.aliases }
        #expect(Set(names).count == names.count)
        #expect(Set(Configuration.keys.map(\.path)).count == Configuration.keys.count)
        for key in Configuration.keys {
            #expect(key.documentation.hasSuffix("."), "\(key.path)")
            #expect(!key.path.contains { !($0.isASCII && ($0.isLowercase || $0.isNumber || "._-".contains($0))) })
        }
        #expect(
            Configuration.keys.first { $0.path == "limits.policies.login-account.limit" }?.variable
                == "GATEHOUSE_LIMITS_POLICIES_LOGIN_ACCOUNT_LIMIT")
    }

    @Test("A configuration file that holds a secret and that everyone can read is told")
    func exposedFile() throws {
        let folder = TemporaryFolder()
        let path = folder.write("g.toml", "auth.jwt_secret = \"0123456789abcdef0123456789abcdef\"", mode: 0o644)
        let loaded = try Configuration.load(Configuration.Sources(configurationFile: path, cores: 1)).get()
        #expect(loaded.notices == ["\(path): holds auth.jwt_secret and can be read by everyone on this machine: chmod 0640 \(path)"])
    }

    @Test("The committed .env.example is the generated one")
    func committedExample() throws {
        let root = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        let committed = try TextFile(path: "/" + root + "/.env.example").text
        #expect(committed == Configuration.environmentExample(), "write it anew with: gatehouse check --env-example > .env.example")
    }
}
