import GateAccess
import GateCore
import GateHTTP
import GateProxy
import Testing

@testable import GatehouseApp

@Suite("Sites in a configuration")
struct SiteConfigurationTests {
    private func routes(_ toml: String) throws -> [SiteRoute] { try load(toml).get().configuration.routes }

    @Test("a site needs its target alone")
    func smallest() throws {
        let route = try #require(try routes("[[site]]\nupstream = \"http://127.0.0.1:3000\"\n").first)
        var expected = SiteRoute(
            name: "*", hosts: [.any], path: PathPrefix("/"),
            target: .upstream(UpstreamRules(servers: [UpstreamRules.Server(url: try #require(HTTPURL("http://127.0.0.1:3000")))])))
        expected.limits = ["site"]
        expected.bodyLimit = 10 << 20
        #expect(route == expected)
    }

    @Test("every key of an upstream arrives in its route")
    func upstream() throws {
        let route = try #require(
            try routes(
                """
                [limits.policies.uploads]
                limit = 5
                window = "1m"
                key = "session"

                [[site]]
                host = ["App.Example.com.", "*.example.org"]
                path = "/app/"
                upstream = ["https://10.0.0.1:8443", "unix:/run/app.sock"]
                access = "role:admin"
                limits = ["site", "uploads"]
                max_body = "5GiB"
                strip_prefix = true
                add_prefix = "/v2"
                set_request_headers = { X-From = "gate", "X-Two" = "2" }
                remove_request_headers = ["X-Debug"]
                set_response_headers = { Cache-Control = "no-store" }
                remove_response_headers = ["Server", "X-Powered-By"]
                security_headers = false
                balance = "least-connections"
                retries = 2
                max_failures = 0
                fail_window = "30s"
                connect_timeout = "1s"
                response_timeout = "5m"
                idle_timeout = "1h"
                upstream_host = "app.internal:8443"
                upstream_ca = "/etc/ca.pem"
                max_connections = 64
                health_path = "/healthz?full"
                health_interval = "3s"
                health_timeout = "1s"
                """
            ).first)
        var rules = UpstreamRules(servers: [
            UpstreamRules.Server(url: try #require(HTTPURL("https://10.0.0.1:8443"))),
            UpstreamRules.Server(url: try #require(HTTPURL("http://localhost")), socket: "/run/app.sock"),
        ])
        rules.balance = .leastConnections
        rules.authority = .fixed("app.internal:8443")
        rules.strippedPrefix = "/app"
        rules.addedPrefix = "/v2"
        var health = UpstreamRules.HealthCheck(path: "/healthz?full")
        health.interval = .seconds(3)
        health.timeout = .seconds(1)
        rules.health = health
        rules.maxFailures = 0
        rules.failWindow = .seconds(30)
        rules.retries = 2
        rules.connectTime = .seconds(1)
        rules.responseTime = .seconds(300)
        rules.idleTime = .seconds(3600)
        rules.maxConnections = 64
        rules.authoritiesFile = "/etc/ca.pem"
        var expected = SiteRoute(
            name: "app.example.com/app", hosts: [.exact("app.example.com"), .wildcard(suffix: ".example.org")], path: PathPrefix("/app"),
            target: .upstream(rules))
        expected.access = .role("admin")
        expected.limits = ["site", "uploads"]
        expected.bodyLimit = 5 << 30
        expected.addsSecurityHeaders = false
        expected.requestFields.removed = ["X-Debug"]
        expected.requestFields.set = [("X-From", "gate"), ("X-Two", "2")]
        expected.responseFields.removed = ["Server", "X-Powered-By"]
        expected.responseFields.set = [("Cache-Control", "no-store")]
        #expect(route == expected)
    }

    @Test("folders, redirects and fixed answers")
    func otherTargets() throws {
        let routes = try routes(
            """
            [[site]]
            path = "/files"
            root = "/srv/www/"
            index = []
            fallback = "/app.html"
            precompressed = false
            cache_control = "public, max-age=60"
            strip_prefix = "/files"
            max_body = "unlimited"
            [[site]]
            host = "old.example.com"
            redirect = "https://{host}{uri}"
            redirect_status = 302
            [[site]]
            host = "down.example.com"
            respond = ""
            respond_status = 503
            respond_type = "text/html"
            access = "signed-in"
            limits = []
            """)
        var folder = FolderRules(root: "/srv/www")
        folder.index = []
        folder.fallback = "/app.html"
        folder.precompressed = false
        folder.cacheControl = "public, max-age=60"
        folder.strippedPrefix = "/files"
        var redirect = RedirectRules(location: "https://{host}{uri}")
        redirect.status = 302
        var answer = FixedAnswer()
        answer.status = 503
        answer.contentType = "text/html"
        #expect(routes.map(\.target) == [.folder(folder), .redirect(redirect), .fixed(answer)])
        #expect(routes.map(\.access) == [.signedIn, .everyone, .signedIn])
        #expect(routes.map(\.limits) == [["site"], ["site"], []])
        #expect(routes.map(\.bodyLimit) == [nil, 10 << 20, 10 << 20])
    }

    static let faults: [(toml: String, messages: [String])] = [
        (
            "upstrem = \"http://a\"",
            [
                "2:1: unknown key \"upstrem\" in [[site]]: did you mean \"upstream\"?",
                "2:1: the site has nothing that answers: write exactly one of upstream, instances, root, redirect and respond",
            ]
        ),
        (
            "respond = \"\"\nroot = \"/srv\"",
            ["2:1: the site has root and respond: write exactly one of upstream, instances, root, redirect and respond"]
        ),
        ("upstream = []", ["2:1: upstream of [[site]] is empty: name what answers, or remove the site"]),
        ("upstream = \"127.0.0.1:3000\"", ["2:1: upstream of [[site]]: \"127.0.0.1:3000\" has no scheme: write http://127.0.0.1:3000"]),
        (
            "upstream = \"http://127.0.0.1:3000/app\"",
            ["2:1: upstream of [[site]]: \"http://127.0.0.1:3000/app\" has a path: leave it out, and write add_prefix = \"/app\""]
        ),
        (
            "upstream = \"http://127.0.0.1:8080\"",
            ["2:1: http://127.0.0.1:8080/ is Gatehouse itself (listen.http): name the application's own port"]
        ),
        ("upstream = \"http://a\"\nindex = [\"a.html\"]", ["3:1: index means nothing for a site with upstream: remove it"]),
        ("respond = \"\"\nadd_prefix = \"/x\"", ["3:1: add_prefix means nothing for a site with respond: remove it"]),
        ("respond = \"\"\naccess = \"role:admn\"", ["3:1: access of [[site]]: there is no role \"admn\": did you mean role:admin?"]),
        ("respond = \"\"\naccess = \"signedin\"", ["3:1: access of [[site]]: \"signedin\" is not known: did you mean signed-in?"]),
        (
            "respond = \"\"\naccess = \"org:x\"",
            ["3:1: access of [[site]]: \"org:x\" names no organisation: write org: and the id, as GET /api/v1/orgs shows it"]
        ),
        ("respond = \"\"\nlimits = [\"sites\"]", ["3:1: there is no policy \"sites\": did you mean \"site\"?"]),
        (
            "respond = \"\"\nlimits = [\"login\"]",
            [
                "3:1: the policy \"login\" is for credentials, not for sites: define it under [limits.policies.login], or choose one of site, api"
            ]
        ),
        (
            "respond = \"\"\nhost = \"app.example.com:443\"",
            [
                "3:1: host of [[site]]: \"app.example.com:443\" has a port: leave it out: a site is served on every port that is listened on, as \"app.example.com\""
            ]
        ),
        (
            "respond = \"\"\nhost = \"*.*.example.com\"",
            [
                "3:1: host of [[site]]: \"*.*.example.com\" is no host: write app.example.com, *.example.com or *; names beyond ASCII in their xn-- form"
            ]
        ),
        (
            "respond = \"\"\npath = \"/a/../b\"",
            [
                "3:1: path of [[site]]: \"/a/../b\" has more than one reading: write it without //, dot segments, % ; ? # \\ * and beyond ASCII, as in /app"
            ]
        ),
        ("respond = \"\"\npath = \"/.gatehouse/x\"", ["3:1: path of [[site]]: \"/.gatehouse/x\" is Gatehouse's own: choose another path"]),
        (
            "respond = \"\"\n[[site]]\nrespond = \"\"",
            ["4:1: the site */ is there already (line 2): remove one of the two, or give them different paths"]
        ),
        (
            "upstream = \"http://a\"\nset_request_headers = { X-Gatehouse-User = \"root\" }",
            ["3:1: set_request_headers of [[site]]: X-Gatehouse-User is set by Gatehouse: leave it out"]
        ),
        (
            "upstream = \"http://a\"\nset_request_headers = { Host = \"b\" }",
            ["3:1: set_request_headers of [[site]]: Host is set by Gatehouse: set upstream_host"]
        ),
        (
            "respond = \"\"\nset_response_headers = { Transfer-Encoding = \"chunked\" }",
            ["3:1: set_response_headers of [[site]]: Transfer-Encoding is set by Gatehouse: leave it out"]
        ),
        (
            "respond = \"\"\nset_response_headers = { X = \"a\\r\\nY: b\" }",
            ["3:1: set_response_headers of [[site]]: X: holds characters that a header cannot carry: use ASCII on a single line"]
        ),
        (
            "respond = \"\"\nname = \"a.test\"\n[[site]]\nrespond = \"\"\nhost = \"a.test\"",
            ["5:1: another site is called a.test too: give one of the two another name"]
        ),
        (
            "redirect = \"https://example.com{path}\"",
            [
                "2:1: redirect of [[site]]: \"https://example.com{path}\" holds something else than {uri} and {host}: write such as https://www.example.com{uri}"
            ]
        ),
        (
            "redirect = \"//evil.example\"",
            ["2:1: redirect of [[site]]: \"//evil.example\" is no address: write such as https://www.example.com{uri}, or a path"]
        ),
        ("upstream = \"http://a\"\nupstream_ca = \"/x.pem\"", ["3:1: upstream_ca is set, but no server of upstream is https: remove it"]),
        (
            "upstream = \"http://a\"\npath = \"/a\"\nstrip_prefix = \"/b\"",
            ["4:1: strip_prefix (/b) is not what the path of the site begins with: write true, or a path above it"]
        ),
    ]

    @Test("each fault is told with its line and what to do", arguments: faults)
    func fault(_ toml: String, _ messages: [String]) {
        let found = load("[[site]]\n" + toml).messages.filter { !$0.contains("redirect of [[site]] is empty") }
        let expected = messages.map { "gatehouse.toml:" + $0 }
        #expect(expected.allSatisfy(found.contains), "\(found)")
    }

    @Test("what is no list of tables is refused", arguments: ["site = 1", "[site]\nhost = \"a\"", "site = [1]"])
    func noTables(_ toml: String) { #expect(load(toml).messages.count == 1) }

    @Test("a policy of the operator's own, and slips in the name of one that there is")
    func policies() throws {
        let site = "[[site]]\nrespond = \"\"\nlimits = [\"uploads\"]\n"
        let limits = try load("[limits.policies.uploads]\nlimit = 5\nwindow = \"1m\"\n" + site).get().configuration.limits
        #expect(limits.custom.map(\.name) == ["uploads"])
        #expect(limits.custom.first?.limit == 5 && limits.custom.first?.window == .seconds(60) && limits.custom.first?.key == .user)
        #expect(
            load("[limits.policies.uploads]\nlimt = 5\n" + site).messages == [
                "gatehouse.toml:2:1: unknown key \"limt\" in limits.policies.uploads: did you mean \"limit\"?",
                "gatehouse.toml:2:1: limits.policies.uploads has no limit: write limit and window",
                "gatehouse.toml:2:1: limits.policies.uploads has no window: write limit and window",
            ])
        #expect(
            load("[limits.policies.logn]\nlimit = 5\nwindow = \"1m\"").messages == [
                "gatehouse.toml:2:1: no site uses the policy \"logn\": did you mean \"login\"?"
            ])
        let unused = try load("[limits.policies.uploads]\nlimit = 5\nwindow = \"1m\"").get().notices
        #expect(unused.count == 1 && unused[0].hasSuffix("gatehouse.toml:2:1: the policy \"uploads\" is not used by any site"))
    }

    @Test("certificates are ordered for the hosts of the sites, and the first of them stands for the server")
    func certificates() throws {
        let loaded = try load(
            """
            [acme]
            email = "admin@example.com"
            [[site]]
            host = ["app.example.com", "printer.local"]
            upstream = "http://127.0.0.1:3000"
            [[site]]
            host = ["www.example.com", "*.example.org"]
            redirect = "https://app.example.com{uri}"
            """
        ).get()
        #expect(loaded.configuration.tls.mode == .acme)
        #expect(loaded.configuration.publicURL.description == "https://app.example.com")
        #expect(loaded.configuration.acme.domains == ["app.example.com", "www.example.com"])
        #expect(
            loaded.notices.map { $0.drop { $0 != ":" } } == [
                ":4:1: no certificate can be ordered for printer.local: only this network knows it",
                ":7:1: a certificate for *.example.org needs a challenge over DNS: name in acme.domains those that are used",
            ])
    }

    @Test("what check prints is a configuration that means the same")
    func report() throws {
        let toml = """
            [limits.policies.uploads]
            limit = 5
            window = "1m"
            key = "network"
            [api]
            prefix = "/_gatehouse"
            [[site]]
            host = ["a.example.com", "*.example.org"]
            path = "/app"
            upstream = ["https://10.0.0.1:8443", "unix:/run/app.sock"]
            access = "optional"
            limits = ["uploads"]
            strip_prefix = true
            set_request_headers = { X-From = "g\\"ate" }
            upstream_host = "upstream"
            health_path = "/healthz"
            [[site]]
            root = "/srv/www"
            max_body = "unlimited"
            [[site]]
            host = "old.example.com"
            redirect = "https://a.example.com{uri}"
            """
        let loaded = try load(toml).get()
        let again = try load(loaded.report).get()
        #expect(again.configuration.routes == loaded.configuration.routes)
        #expect(again.configuration.routes.count == 3)
        #expect(again.configuration.api.prefix == PathPrefix("/_gatehouse"))
        #expect(again.configuration.limits.custom.first?.key == .network)
        #expect(loaded.json["sites"]?.array?.first?["access"]?["origin"]?.string?.hasSuffix("gatehouse.toml:11:1") == true)
        #expect(loaded.json["sites"]?.array?.first?["strip_prefix"]?["value"] == true)
    }

    @Test("the reference explains every key of a site, with values that can be used", arguments: Configuration.Site.Target.allCases)
    func reference(_ target: Configuration.Site.Target) throws {
        let lines = Configuration.Site.reference.split(separator: "\n").filter { $0.hasPrefix("# ") }.map { $0.dropFirst(2) }
        let assignments = Configuration.Site.keys(for: target).compactMap { key -> Substring? in
            if let other = Configuration.Site.Target(rawValue: key.path), other != target { return nil }
            // An authority is for https alone.
            if key.path == "upstream_ca" { return nil }
            return lines.first { $0.hasPrefix("\(key.path) = ") } ?? "\(key.path) is missing"
        }
        #expect(try load("[[site]]\n" + assignments.joined(separator: "\n")).get().configuration.routes.count == 1)
    }
}
