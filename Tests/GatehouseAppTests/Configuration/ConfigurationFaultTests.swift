import GateTesting
import Testing

@testable import GatehouseApp

/// Loads `toml`, `env` (as a file) and variables; file names in messages are shortened to `gatehouse.toml` and `.env`.
func load(
    _ toml: String? = nil, env: String? = nil, variables: [String: String] = [:], flags: [(name: String, value: String)] = []
) -> Result<Configuration.Loaded, ConfigurationFaults> {
    let folder = TemporaryFolder()
    return withExtendedLifetime(folder) {
        Configuration.load(
            Configuration.Sources(
                flags: flags, environment: variables, environmentFile: env.map { folder.write(".env", $0) },
                configurationFile: toml.map { folder.write("gatehouse.toml", $0) }, cores: 4)
        ).mapError { faults in
            ConfigurationFaults(faults: faults.faults.map { $0.inFolder(folder.path) })
        }
    }
}

extension ConfigurationFault {
    fileprivate func inFolder(_ folder: String) -> ConfigurationFault {
        func short(_ path: String) -> String { path.hasPrefix(folder) ? String(path.dropFirst(folder.count + 1)) : path }
        let place: ConfigurationPlace =
            switch self.place {
            case .file(let file, let line, let column): .file(short(file), line: line, column: column)
            case .environmentFile(let file, let line, let variable): .environmentFile(short(file), line: line, variable: variable)
            default: self.place
            }
        return ConfigurationFault(place, problem, cure: cure)
    }
}

extension Result where Success == Configuration.Loaded, Failure == ConfigurationFaults {
    var messages: [String] {
        switch self {
        case .success: []
        case .failure(let faults): faults.faults.map(\.description)
        }
    }
}

@Suite("Faults in a configuration")
struct ConfigurationFaultTests {
    static let files: [(toml: String, messages: [String])] = [
        ("[listen]\nhtpp = []\n", ["gatehouse.toml:2:1: unknown key \"listen.htpp\": did you mean \"listen.http\"?"]),
        ("[lsten]\nhttp = []\n", ["gatehouse.toml:1:2: unknown key \"lsten\": did you mean \"listen\"?"]),
        (
            "[http]\ntrusted_proxies = []",
            ["gatehouse.toml:2:1: unknown key \"http.trusted_proxies\": did you mean \"listen.trusted_proxies\"?"]
        ),
        ("zzz = 1", ["gatehouse.toml:1:1: unknown key \"zzz\": remove it"]),
        (
            "\n\n  data_dir = ",
            ["gatehouse.toml:3:14: is no valid TOML: a value is missing: write a text in quotes, a number, true or false"]
        ),
        ("auth.bcrypt_cost = 9", ["gatehouse.toml:1:6: auth.bcrypt_cost: 9 is out of range: choose from 10 to 16"]),
        (
            "[auth]\nbcrypt_cost = \"12\"",
            ["gatehouse.toml:2:1: auth.bcrypt_cost: is a text, where a number is expected: write it without quotes"]
        ),
        (
            "[auth]\nsigning = \"RS256\"",
            ["gatehouse.toml:2:1: auth.signing: \"RS256\" is not known: did you mean HS256?"]
        ),
        (
            "[http]\nidle_timeout = 30",
            ["gatehouse.toml:2:1: http.idle_timeout: is a number, where a duration is expected: write it in quotes, such as \"15m\""]
        ),
        (
            "[http]\nidle_timeout = \"30 seconds\"",
            [
                "gatehouse.toml:2:1: http.idle_timeout: \"30 seconds\" is no duration: write a number and a unit (ms, s, m, h, d), such as 30s or 15m"
            ]
        ),
        (
            "[http]\nmax_body = \"1Mib\"",
            ["gatehouse.toml:2:1: http.max_body: \"1Mib\" is no size: write a number and a unit (B, KiB, MiB, GiB), such as 64KiB"]
        ),
        (
            "[http]\nmax_header_size = \"1GiB\"",
            ["gatehouse.toml:2:1: http.max_header_size: 1GiB is out of range: choose from 4KiB to 1MiB"]
        ),
        (
            "[http]\ncompression = \"yes\"",
            ["gatehouse.toml:2:1: http.compression: is a text, where true or false is expected: write it without quotes"]
        ),
        ("listen = 3", ["gatehouse.toml:1:1: listen: is a number, where a table is expected: write [listen] and its keys below"]),
        (
            "[listen]\nhttp = [\"127.0.0.1:80\", \"localhost:8080\"]",
            [
                "gatehouse.toml:2:1: listen.http: \"localhost:8080\" \"localhost\" is not an IP address: write 127.0.0.1:8080, [::1]:8080, :8080 (every address) or unix:/path"
            ]
        ),
        ("[listen]\nhttp = \"::1:80\"", ["gatehouse.toml:2:1: listen.http: has an IPv6 address without brackets: write [::1]:80"]),
        ("[listen]\nhttp = [\":80\", \":80\"]", ["gatehouse.toml:2:1: listen.http names :80 twice: remove one of the two"]),
        (
            "[listen]\nhttp = [\":80\", \"127.0.0.1:80\"]",
            [
                "gatehouse.toml:2:1: listen.http names 127.0.0.1:80 beside :80 of listen.http: they are the same port: remove one of the two"
            ]
        ),
        ("[listen]\nhttp = []", ["gatehouse.toml:2:1: listen.http names no address: write one, such as 127.0.0.1:8080"]),
        (
            "[listen]\ntrusted_proxies = [\"10.0.0.1/8\"]",
            ["gatehouse.toml:2:1: listen.trusted_proxies: has bits set beyond its prefix: write 10.0.0.0/8 or 10.0.0.1"]
        ),
        (
            "[cors]\norigins = [\"*\"]",
            ["gatehouse.toml:2:1: cors.origins: wildcards are not accepted: credentials would go to every matching site: name each origin"]
        ),
        (
            "[cors]\norigins = [\"null\"]",
            [
                "gatehouse.toml:2:1: cors.origins: \"null\" is sent by any sandboxed page: name the exact origin, such as https://app.example.com"
            ]
        ),
        (
            "[cors]\norigins = [\"https://a.test/\"]",
            ["gatehouse.toml:2:1: cors.origins: has a path; only scheme, host and port count: leave out what follows the host"]
        ),
        (
            "[cors]\norigins = [\"app.example.com\"]",
            [
                "gatehouse.toml:2:1: cors.origins: does not begin with https:// or http://: write the whole address, such as https://app.example.com"
            ]
        ),
        (
            "public_url = \"https://app.example.com/app\"",
            ["gatehouse.toml:1:1: public_url: has a path; only scheme, host and port count: leave out what follows the host"]
        ),
        (
            "public_url = \"ftp://a\"",
            [
                "gatehouse.toml:1:1: public_url: does not begin with https:// or http://: write the whole address, such as https://app.example.com"
            ]
        ),
        ("public_url = \"https://u:p@a\"", ["gatehouse.toml:1:1: public_url: holds a user name: leave it out"]),
        (
            "[[site]]\nhost = \"*\"\n[[site]]\nhost = \"a\"",
            [
                "gatehouse.toml:2:1: the site has nothing that answers: write exactly one of upstream, instances, root, redirect and respond",
                "gatehouse.toml:4:1: the site has nothing that answers: write exactly one of upstream, instances, root, redirect and respond",
            ]
        ),
        (
            "[limits]\nbackend = \"redis\"",
            [
                "gatehouse.toml:2:1: limits.backend is redis, but limits.redis_url is not set: write limits.redis_url = \"redis://127.0.0.1:6379\", or set REDIS_URL"
            ]
        ),
        (
            "limits.redis_url = \"redis://:secret@h\"\nredis.ca_file = \"ca.pem\"",
            [
                "gatehouse.toml:2:7: redis.ca_file is set, but limits.redis_url is without TLS: write rediss:// in it, or remove redis.ca_file"
            ]
        ),
        (
            "database.url = \"postgres://u:sec@ret@h/db\"",
            [
                "gatehouse.toml:1:10: database.url: cannot be told apart into user, host and database: percent-encode the password: @ is %40, / is %2F, : is %3A, ? is %3F"
            ]
        ),
        ("[limits.policies.logins]\nlimit = 3", ["gatehouse.toml:2:1: no site uses the policy \"logins\": did you mean \"login\"?"]),
        (
            "[limits.policies.api]\nlimt = 3",
            ["gatehouse.toml:2:1: unknown key \"limits.policies.api.limt\": did you mean \"limits.policies.api.limit\"?"]
        ),
        (
            "[metrics]\naddress = \":9090\"",
            [
                "gatehouse.toml:2:1: metrics.address: :9090 can be reached from outside: choose a loopback or private address, such as 127.0.0.1:9090"
            ]
        ),
        (
            "[metrics]\naddress = \"8.8.8.8:9090\"",
            [
                "gatehouse.toml:2:1: metrics.address: 8.8.8.8:9090 can be reached from outside: choose a loopback or private address, such as 127.0.0.1:9090"
            ]
        ),
        (
            "[metrics]\naddress = \"127.0.0.1:8080\"",
            ["gatehouse.toml:2:1: metrics.address 127.0.0.1:8080 is taken by listen.http: choose another port"]
        ),
        (
            "[auth]\naccess_token_lifetime = \"31d\"",
            ["gatehouse.toml:2:1: auth.access_token_lifetime: 31d is out of range: choose from 10s to 30d"]
        ),
        (
            "[auth]\nsession_lifetime = \"10m\"",
            [
                "gatehouse.toml:2:1: auth.access_token_lifetime (15m) is longer than auth.session_lifetime (10m): shorten the former or lengthen the latter"
            ]
        ),
        (
            "[auth]\njwt_secret = \"hunter2\"",
            ["gatehouse.toml:2:1: auth.jwt_secret: has 7 characters, and 32 are needed: make one with: openssl rand -base64 48"]
        ),
        (
            "[auth]\njwt_secret = \"\(String(repeating: "a", count: 40))\"",
            ["gatehouse.toml:2:1: auth.jwt_secret: repeats the same few characters: make one with: openssl rand -base64 48"]
        ),
        (
            "headers.hsts = \"1d\"",
            [
                "gatehouse.toml:1:9: headers.hsts is set, but public_url is plain HTTP, where browsers ignore it: remove it, or write public_url with https"
            ]
        ),
        (
            "log.level = \"verbose\"",
            ["gatehouse.toml:1:5: log.level: \"verbose\" is not known: choose one of trace, debug, info, notice, warning, error, critical"]
        ),
        (
            "data_dir = \"a\\u0000b\"",
            ["gatehouse.toml:1:14: is no valid TOML: an unknown escape: write \\\\ for a backslash, or use single quotes"]
        ),
        (
            // Several at once, in the order of the file.
            "public_url = 1\n[auth]\nsigning = \"none\"\nhash_queue = 0\n[zap]\n[http]\nmax_body = -1\n",
            [
                "gatehouse.toml:5:2: unknown key \"zap\": remove it",
                "gatehouse.toml:1:1: public_url: is a number, where a URL is expected: write it in quotes, such as \"https://app.example.com\"",
                "gatehouse.toml:3:1: auth.signing: \"none\" is not known: choose one of HS256, EdDSA, ES256",
                "gatehouse.toml:4:1: auth.hash_queue: 0 is out of range: choose from 1 to 100000",
                "gatehouse.toml:7:1: http.max_body: is a number, where a size is expected: write it as in \"64KiB\"",
            ]
        ),
    ]

    @Test("A TOML file's faults name line, column, mistake and cure", arguments: files)
    func file(toml: String, messages: [String]) { #expect(load(toml).messages == messages) }

    static let variables: [(variables: [String: String], messages: [String])] = [
        (
            ["GATEHOUSE_LISTEN_HTPP": ":80"],
            ["environment variable GATEHOUSE_LISTEN_HTPP: unknown variable: did you mean GATEHOUSE_LISTEN_HTTP?"]
        ),
        (
            ["GATEHOUSE_OAUTH_GOOGLE_ID": "1"],
            ["environment variable GATEHOUSE_OAUTH_GOOGLE_ID: not available in this version: remove the variable"]
        ),
        (["GATEHOUSE_WHATEVER_IT_IS": "1"], ["environment variable GATEHOUSE_WHATEVER_IT_IS: unknown variable: remove it"]),
        (["PORT": "70000"], ["environment variable PORT: \"70000\" is no port: choose from 1 to 65535"]),
        (["PORT": "eighty"], ["environment variable PORT: \"eighty\" is no port: choose from 1 to 65535"]),
        (
            ["REDIS_URL": "redis://:pw@h:many"],
            ["environment variable REDIS_URL: has a port that is none: choose from 1 to 65535"]
        ),
        (
            ["DATABASE_URL": "postgres://u:pw@h/db?ssl=on"],
            [
                "environment variable DATABASE_URL: has a setting after the ? that is not known: see DEPLOYMENT.md; of libpq's, sslmode, sslrootcert and passfile are the usual ones"
            ]
        ),
        (
            ["JWT_SECRET": "change-me"],
            ["environment variable JWT_SECRET: has 9 characters, and 32 are needed: make one with: openssl rand -base64 48"]
        ),
        (
            ["CORS_ORIGIN": "https://a.test,*"],
            [
                "environment variable CORS_ORIGIN: \"*\" wildcards are not accepted: credentials would go to every matching site: name each origin"
            ]
        ),
        (
            ["GATEHOUSE_HTTP_COMPRESSION": "maybe"],
            ["environment variable GATEHOUSE_HTTP_COMPRESSION: \"maybe\" is neither true nor false: write true or false"]
        ),
        (
            ["GATEHOUSE_HTTP_MAX_CONNECTIONS": "1e4"],
            ["environment variable GATEHOUSE_HTTP_MAX_CONNECTIONS: \"1e4\" is no whole number: choose from 1 to 1000000"]
        ),
    ]

    @Test("An environment variable's faults name the variable", arguments: variables)
    func variable(variables: [String: String], messages: [String]) { #expect(load(variables: variables).messages == messages) }

    @Test("Flags are known or refused")
    func flags() {
        #expect(load(flags: [("--lisen", ":80")]).messages == ["--lisen: unknown option: did you mean --listen?"])
        #expect(
            load(flags: [("--log-level", "loud")]).messages
                == ["--log-level: \"loud\" is not known: choose one of trace, debug, info, notice, warning, error, critical"])
    }

    @Test("Faults of every source come together")
    func everySource() {
        let messages = load("zzz = 1", env: "PORT=x\n???\n", variables: ["GATEHOUSE_X_Y_Z_W": "1"], flags: [("--data-dir", "")]).messages
        #expect(
            messages == [
                "gatehouse.toml:1:1: unknown key \"zzz\": remove it",
                ".env:2:1: is no NAME=value line: write NAME=value, or begin the line with # if it is a comment",
                ".env:1: PORT: \"x\" is no port: choose from 1 to 65535",
                "environment variable GATEHOUSE_X_Y_Z_W: unknown variable: remove it",
                "--data-dir: names no folder: write a path, such as /var/lib/gatehouse",
            ])
    }

    @Test("Files that cannot be read are faults with their path")
    func unreadable() {
        let folder = TemporaryFolder()
        func messages(_ path: String) -> [String] {
            Configuration.load(Configuration.Sources(configurationFile: path, cores: 1)).messages
        }
        let missing = folder.file("none.toml")
        #expect(messages(missing) == ["\(missing): does not exist: check the path, or leave the option out"])
        #expect(messages(folder.path) == ["\(folder.path): is a folder: name the file inside it"])
        let binary = folder.write("binary.toml", bytes: Array("data_dir = \"a\"\n# \u{FF}".utf8) + [0xFF, 0x0A])
        #expect(messages(binary) == ["\(binary):2:1: is not UTF-8: save the file as UTF-8"])
        #expect(messages("/dev/zero") == ["/dev/zero: is larger than 1 MiB: name a configuration file"])
    }
}
