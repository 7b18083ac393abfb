import GateAPI
import GateAccess
import GateCore
import GateHTTP
import GateLimits
import NIOHTTP1
import Testing

@Suite("Forward-auth")
struct ForwardAuthTests {
    /// `app.test`: open under `/open`, for owners under `/owners`, counted under `/once`, for who is signed in elsewhere.
    private struct Doors: DoorDirectory {
        let open = Door(name: "open", access: .everyone, policies: [])
        let owners = Door(name: "owners", access: .role("owner"), policies: [])
        let once = Door(
            name: "once", access: .signedIn,
            policies: [RoutePolicy(LimitPolicy(name: "once", limit: 1, window: .seconds(60)), key: .user)])
        let rest = Door(name: "app.test/", access: .signedIn, policies: [])

        func door(authority: String, path: Substring) -> DoorMatch {
            guard authority == "app.test" else { return .none }
            if path.contains("..") { return .ambiguous }
            if path.hasPrefix("/open") { return .door(open) }
            if path.hasPrefix("/owners") { return .door(owners) }
            return .door(path.hasPrefix("/once") ? once : rest)
        }
    }

    static let proxy = "10.0.0.1"

    private static func gate() async throws -> APIHarness { try await APIHarness(doors: Doors(), proxies: ["10.0.0.0/8"]) }

    /// Asks as a proxy does, whose word about host and scheme the connection has taken already.
    private static func verify(
        _ gate: APIHarness, _ fields: [(String, String)], authority: String = "app.test", from peer: String = proxy
    ) async -> Reply {
        let request = Request(
            id: RequestID(value: 1), method: .GET, target: RequestTarget("/api/v1/auth/verify")!, headers: HTTPHeaders(fields),
            peer: IPAddress(peer), client: IPAddress("192.0.2.1"), scheme: .https, authority: authority)
        return Reply(await gate.api.respond(to: request).response)
    }

    @Test("whoever may pass gets 200 and the identity fields, by cookie and by token; nobody else does")
    func verdicts() async throws {
        let gate = try await Self.gate()
        let owner = await gate.register("ann@example.com", org: "Engines")
        let plain = await gate.register("bob@example.com")
        let cookie = ("cookie", owner.cookie)
        let table: [(uri: String, fields: [(String, String)], status: Int, code: String?)] = [
            ("/", [cookie], 200, nil), ("/", [("authorization", "Bearer \(owner.accessToken)")], 200, nil), ("/", [], 401, "auth/required"),
            ("/open/x", [], 200, nil), ("/owners", [cookie], 200, nil), ("/owners", [("cookie", plain.cookie)], 403, "auth/forbidden"),
            ("/a/../owners", [cookie], 400, "request/malformed"), ("/", [("authorization", "Bearer x")], 401, "auth/required"),
        ]
        for row in table {
            let reply = await Self.verify(gate, row.fields + [("x-forwarded-uri", row.uri)])
            #expect(reply.status == row.status && reply.code == row.code, "\(row)")
            let isTold = row.status == 200 && !row.fields.isEmpty
            // What nobody is, is told as empty: a proxy copies these fields by name.
            #expect((reply.header("x-gatehouse-user") ?? "").isEmpty != isTold)
            #expect((reply.header("x-gatehouse-assertion") ?? "").isEmpty != isTold)
            #expect(reply.header("cache-control") == "no-store")
        }
        await gate.close()
    }

    @Test("CHECKLIST 4: signing out ends it at the next question")
    func signOut() async throws {
        let gate = try await Self.gate()
        let ann = await gate.register("ann@example.com")
        let bearer = ("authorization", "Bearer \(ann.accessToken)")
        #expect(await Self.verify(gate, [bearer]).status == 200)
        _ = await gate.call(.POST, "/api/v1/auth/logout", token: ann.accessToken)
        #expect(await Self.verify(gate, [bearer]).code == "auth/token-revoked")
        #expect(await Self.verify(gate, [("cookie", ann.cookie)]).code == "auth/required")
        await gate.close()
    }

    @Test("a person is sent to the sign-in page of the host they asked for; to nginx that is a 401 with the place")
    func navigation() async throws {
        let gate = try await Self.gate()
        let browser = [("accept", "text/html")]
        let location = "https://app.test/.gatehouse/sign-in?redirect=/a%3Fb"
        let traefik = await Self.verify(gate, browser + [("x-forwarded-uri", "/a?b"), ("x-forwarded-method", "GET")])
        #expect(traefik.status == 302 && traefik.header("location") == location)
        let nginx = await Self.verify(gate, browser + [("x-original-url", "https://app.test/a?b")])
        #expect(nginx.status == 401 && nginx.header("location") == location)
        #expect(nginx.header("www-authenticate") == "Bearer")
        await gate.close()
    }

    @Test("what the fields of the two kinds of proxy say has to agree: nobody chooses another path's rule")
    func disagreement() async throws {
        let gate = try await Self.gate()
        let owner = await gate.register("ann@example.com")
        let cookie = ("cookie", owner.cookie)
        let table: [(fields: [(String, String)], status: Int)] = [
            ([("x-original-url", "https://app.test/owners")], 403), ([("x-original-url", "/owners")], 403),
            ([("x-original-url", "https://app.test/open"), ("x-forwarded-uri", "/owners")], 403),
            ([("x-original-url", "https://app.test/owners"), ("x-forwarded-uri", "/open")], 403),
            ([("x-original-url", "https://app.test/open"), ("x-forwarded-uri", "/open")], 200),
            ([("x-forwarded-uri", "/open"), ("x-forwarded-uri", "/owners")], 403),
            ([("x-original-url", "https://other.test/open"), ("x-forwarded-host", "app.test")], 403),
            ([("x-original-url", "https://app.test/open"), ("x-forwarded-host", "app.test")], 200),
            ([("x-forwarded-uri", "no path")], 403), ([("x-original-url", "ftp://app.test/")], 403),
            ([("x-forwarded-method", "POST"), ("x-forwarded-uri", "/")], 403),
            ([("x-forwarded-method", "POST"), ("x-forwarded-uri", "/"), ("origin", "https://app.test")], 200),
            ([("x-forwarded-method", "GET"), ("x-original-method", "POST"), ("x-forwarded-uri", "/")], 403),
        ]
        for row in table {
            let reply = await Self.verify(gate, row.fields + [cookie])
            #expect(reply.status == row.status, "\(row.fields)")
        }
        await gate.close()
    }

    @Test("CHECKLIST 31: from whoever is no trusted proxy the fields say nothing")
    func untrusted() async throws {
        let gate = try await Self.gate()
        let plain = await gate.register("bob@example.com")
        let fields = [("x-forwarded-uri", "/open"), ("x-forwarded-method", "GET")]
        #expect(await Self.verify(gate, fields, from: "203.0.113.9").status == 401)
        #expect(await Self.verify(gate, fields + [("cookie", plain.cookie)], from: "203.0.113.9").status == 200)
        await gate.close()
    }

    @Test("CHECKLIST 29: what a client says under our names is dropped, and refused in a spelling that a proxy would let through")
    func forgedIdentity() async throws {
        let gate = try await Self.gate()
        let ann = await gate.register("ann@example.com")
        let id = ann["user"]?["id"]?.string
        let cookie = ("cookie", ann.cookie)
        for name in ["X-Gatehouse-User", "x-gatehouse-user", "X-GATEHOUSE-USER"] {
            let reply = await Self.verify(gate, [(name, "root"), cookie, ("x-forwarded-uri", "/")])
            #expect(reply.headers["x-gatehouse-user"] == [id])
            let open = await Self.verify(gate, [(name, "root"), cookie, ("x-forwarded-uri", "/open")])
            #expect(open.status == 200 && open.headers["x-gatehouse-user"] == [""])
        }
        for name in ["X_Gatehouse_User", "x-gatehouse_user", "X.Gatehouse.User", "x-gatehouse-email_verified"] {
            #expect(await Self.verify(gate, [(name, "root"), cookie, ("x-forwarded-uri", "/open")]).status == 403, "\(name)")
            #expect(await Self.verify(gate, [(name, "root"), cookie], from: "203.0.113.9").headers["x-gatehouse-user"] == [id])
        }
        await gate.close()
    }

    @Test("questions are counted by the door that they are about")
    func limits() async throws {
        let gate = try await Self.gate()
        let ann = await gate.register("ann@example.com")
        let fields = [("cookie", ann.cookie), ("x-forwarded-uri", "/once")]
        let first = await Self.verify(gate, fields)
        #expect(first.status == 200 && first.header("x-ratelimit-remaining") == "0")
        let second = await Self.verify(gate, fields)
        #expect(second.status == 429 && second.header("retry-after") == "60")
        let nginx = await Self.verify(gate, [("cookie", ann.cookie), ("x-original-url", "https://app.test/once")])
        #expect(nginx.status == 403)
        await gate.close()
    }

    @Test("where no site covers the host, whoever is signed in passes, and the assertion is for that host")
    func otherHosts() async throws {
        let gate = try await Self.gate()
        let ann = await gate.register("ann@example.com")
        for host in ["one.test", "two.test"] {
            #expect(await Self.verify(gate, [], authority: host).status == 401)
            let reply = await Self.verify(gate, [("cookie", ann.cookie)], authority: host)
            let claims = try #require(reply.header("x-gatehouse-assertion")).split(separator: ".")[1]
            let audience = try JSON(parsing: try #require(Base64URL.decode(Array(claims.utf8))))["aud"]?.string
            #expect(audience == host)
        }
        await gate.close()
    }
}
