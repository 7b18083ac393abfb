import GateCore
import GateHTTP
import GateTesting
import NIOHTTP1
import Testing

@testable import GatehouseApp

@Suite("Gatehouse with sites, as it is put together")
struct FrontTests {
    private static let sites = """
        [[site]]
        respond = "any"
        [[site]]
        host = "app.test"
        path = "/team"
        respond = "team"
        access = "signed-in"
        [[site]]
        host = "app.test"
        path = "/team/owners"
        respond = "owners"
        access = "role:owner"
        [[site]]
        host = "app.test"
        path = "/open"
        respond = "open"
        access = "optional"

        """

    @Test("Gatehouse's own paths are its own at every host, and no others")
    func ownRoutes() async throws {
        try await FrontHarness.run(Self.sites) { gate in
            let answers: [(HTTPMethod, String, String)] = [
                (.GET, "/api/v1/auth/me", "auth/required"), (.DELETE, "/api/v1/auth/me", "method-not-allowed"),
                (.GET, "/api/v1/auth", "any"), (.GET, "/api/v1/auth/me/", "any"), (.GET, "/api/v2", "any"), (.GET, "/healthy", "any"),
                (.GET, "/problems", "any"), (.GET, "/.well-known/security.txt", "any"), (.GET, "//api/v1/auth/me", "any"),
                (.GET, "/.gatehouse/nothing", "not-found"), (.GET, "/.gatehouse/x/../../team", "not-found"), (.GET, "/.gatehouse", "any"),
            ]
            for (method, path, word) in answers {
                for host in ["127.0.0.1", "elsewhere.test:81"] {
                    #expect(await gate.ask(path, host: host, [:], method).word == word, "\(method) \(path)")
                }
            }
            #expect(await gate.ask("/health").json?["status"] == "ok")
            #expect(
                await gate.ask("/.gatehouse/sign-in", host: "app.test").headers.first(name: "content-type") == "text/html; charset=utf-8")
        }
    }

    @Test("api.host and api.prefix leave the paths to the applications")
    func movedRoutes() async throws {
        let answers: [(api: String, host: String, path: String, word: String)] = [
            ("host = \"auth.test\"", "auth.test", "/api/v1/auth/me", "auth/required"),
            ("host = \"auth.test\"", "auth.test:443", "/api/v1/auth/me", "auth/required"),
            ("host = \"auth.test\"", "app.test", "/api/v1/auth/me", "any"),
            ("host = \"auth.test\"", "app.test", "/.gatehouse/x", "not-found"),
            ("host = \"auth.test\"", "auth.test", "/other", "any"),
            ("prefix = \"/_gate\"", "app.test", "/_gate/api/v1/auth/me", "auth/required"),
            ("prefix = \"/_gate\"", "app.test", "/_gate/api/v1/auth/me?x=/_gate", "auth/required"),
            ("prefix = \"/_gate\"", "app.test", "/api/v1/auth/me", "any"),
            ("prefix = \"/_gate\"", "app.test", "/_gateapi/v1/auth/me", "any"),
            ("prefix = \"/_gate\"", "app.test", "/_gate", "any"),
            ("prefix = \"/_gate\"", "app.test", "/.gatehouse/x", "not-found"),
        ]
        for (api, host, path, word) in answers {
            try await FrontHarness.run("[api]\n\(api)\n" + Self.sites) { gate in
                #expect(await gate.ask(path, host: host).word == word, "\(api) \(host) \(path)")
            }
        }
        try await FrontHarness.run("[api]\nprefix = \"/_gate\"\n" + Self.sites) { gate in
            let problem = await gate.ask("/_gate/api/v1/auth/me").json
            #expect(problem?["type"] == "http://127.0.0.1:8080/_gate/problems/auth/required")
            #expect(await gate.ask("/_gate/problems/auth/required").status == 200)
        }
    }

    @Test("who may pass where")
    func access() async throws {
        try await FrontHarness.run(Self.sites) { gate in
            let member = try await gate.token("bob@example.com")
            let owner = try await gate.token(organisation: "Acme")
            func word(_ path: String, _ token: String?) async -> String {
                await gate.ask(path, host: "app.test", token.map { ["authorization": "Bearer \($0)"] } ?? [:]).word
            }
            for (path, words) in [
                ("/", ["any", "any", "any"]), ("/open", ["open", "open", "open"]), ("/team", ["auth/required", "team", "team"]),
                ("/team/x", ["auth/required", "team", "team"]), ("/team/owners", ["auth/required", "auth/forbidden", "owners"]),
                ("/team/owners/x", ["auth/required", "auth/forbidden", "owners"]),
                ("/team//owners", Array(repeating: "request/malformed", count: 3)),
            ] {
                for (token, expected) in zip([nil, member, owner], words) { #expect(await word(path, token) == expected, "\(path)") }
            }
        }
    }

    @Test("CHECKLIST 32: a path that leads past a rule is refused, whoever asks")
    func pathsWithTwoReadings() async throws {
        try await FrontHarness.run(Self.sites) { gate in
            for path in ["/%74eam", "/x/..%2fteam", "//team", "/team;x", "/open/../team", "/open%2f..%2fteam", "/team/..;/open"] {
                #expect(await gate.ask(path, host: "app.test").word == "request/malformed", "\(path)")
            }
        }
    }

    @Test("CHECKLIST 4: after log-out the next request to an application is refused")
    func logOut() async throws {
        try await FrontHarness.run(Self.sites) { gate in
            let token: HTTPHeaders = ["authorization": "Bearer \(try await gate.token())"]
            #expect(await gate.ask("/team", host: "app.test", token).word == "team")
            #expect(await gate.ask("/api/v1/auth/logout", host: "app.test", token, .POST).status == 204)
            #expect(await gate.ask("/team", host: "app.test", token).word == "auth/token-revoked")
        }
    }

    @Test("policies of the operator's own are counted for whom they say")
    func limits() async throws {
        let toml = """
            [limits.policies.few]
            limit = 2
            window = "1m"
            key = "network"
            [[site]]
            respond = "few"
            limits = ["few", "site"]
            [[site]]
            path = "/free"
            respond = "free"
            limits = []
            """
        try await FrontHarness.run(toml) { gate in
            let first = await gate.ask("/")
            #expect(first.headers["ratelimit-policy"] == ["\"few\";q=2;w=60, \"site\";q=1000;w=60"])
            #expect(first.headers["ratelimit"] == ["\"few\";r=1;t=60"])
            #expect(await gate.ask("/").word == "few")
            let refused = await gate.ask("/")
            #expect(refused.status == 429 && refused.headers["retry-after"] == ["60"])
            #expect(await gate.ask("/", from: "192.0.2.2").word == "few")
            for _ in 0..<5 { #expect(await gate.ask("/free").headers["ratelimit"] == []) }
            gate.time.advance(by: .seconds(60))
            #expect(await gate.ask("/").word == "few")
        }
    }

    @Test("security fields are added where the answer has none, and changed where the operator says so")
    func securityFields() async throws {
        let toml = """
            public_url = "https://gate.test"
            [[site]]
            respond = "x"
            set_response_headers = { Referrer-Policy = "no-referrer", X-Site = "1" }
            [[site]]
            path = "/bare"
            respond = "x"
            security_headers = false
            remove_response_headers = ["Content-Type"]
            """
        try await FrontHarness.run(toml) { gate in
            let fields = await gate.ask("/").headers
            #expect(fields["referrer-policy"] == ["no-referrer"] && fields["x-site"] == ["1"])
            #expect(fields["x-content-type-options"] == ["nosniff"] && fields["x-frame-options"] == ["SAMEORIGIN"])
            #expect(fields["strict-transport-security"] == ["max-age=31536000"])
            #expect(fields["content-security-policy"] == [] && fields["cross-origin-opener-policy"] == [])
            let bare = await gate.ask("/bare").headers
            #expect(bare["x-content-type-options"] == [] && bare["content-type"] == [])
        }
    }

    @Test("CHECKLIST 29, 30: an application is told who it is by us alone")
    func identity() async throws {
        try await withMirror { port in
            try await FrontHarness.run(
                """
                [[site]]
                name = "shop"
                upstream = "http://127.0.0.1:\(port)"
                set_request_headers = { X-From = "gate" }
                [[site]]
                path = "/public"
                upstream = "http://127.0.0.1:\(port)"
                access = "public"
                """
            ) { gate in
                let spoofed: HTTPHeaders = [
                    "x-gatehouse-user": "root", "X_Gatehouse_User": "root", "x-gatehouse_roles": "owner", "x.gatehouse.user": "root",
                    "connection": "x-gatehouse-user, x-from",
                ]
                var headers = spoofed
                headers.add(name: "authorization", value: "Bearer \(try await gate.token())")
                let told = await gate.ask("/cart?x=1", headers).text.split(separator: "\n").map(String.init)
                #expect(told.first == "GET /cart?x=1")
                #expect(told.contains("x-gatehouse-email: alice@example.com") && told.contains("x-from: gate"))
                #expect(told.count { $0.contains("gatehouse-user") || $0.contains("gatehouse_user") } == 1)
                #expect(!told.contains { $0.contains("root") || $0.contains("owner") || $0.contains("authorization") })
                let open = await gate.ask("/public", spoofed).text
                #expect(open.hasPrefix("GET /public\n") && !open.contains("gatehouse-user") && !open.contains("root"))
            }
        }
    }

    @Test("without sites nothing changes")
    func noSites() async throws {
        try await FrontHarness.run("") { gate in
            #expect(gate.front.gateway == nil)
            #expect(await gate.ask("/").word == "not-found")
            #expect(await gate.ask("/health").status == 200)
        }
    }

    @Test("Where an application cannot be reached, our word for it carries what the site's answers carry")
    func unreachable() async throws {
        let sites = """
            [[site]]
            upstream = "http://127.0.0.1:1"
            access = "public"
            set_response_headers = { X-Site = "shop", X-Frame-Options = "DENY" }

            """
        try await FrontHarness.run(sites) { gate in
            for accept in ["*/*", "text/html"] {
                let reply = await gate.ask("/x", host: "app.test", ["accept": accept])
                #expect(reply.status == 502)
                #expect(reply.headers["x-site"] == ["shop"] && reply.headers["x-frame-options"] == ["DENY"])
                #expect(reply.headers["x-content-type-options"] == ["nosniff"])
                #expect(reply.headers["referrer-policy"] == ["strict-origin-when-cross-origin"])
            }
        }
    }
}
