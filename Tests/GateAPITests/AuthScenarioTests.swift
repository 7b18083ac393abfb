import GateCore
import GateCrypto
import GateHTTP
import GateIdentity
import GateTesting
import NIOHTTP1
import Testing

@Suite("Accounts over the API", .onEachDatabase)
struct AuthScenarioTests {
    @Test("register, who am I, refresh, sessions, log out: and then the token is refused")
    func wholeLife() async throws {
        let gate = try await APIHarness()
        let registered = await gate.register("Ann@Example.COM", org: "Acme")
        #expect(registered.status == 201)
        #expect(registered["user"]?["email"] == "ann@example.com")
        #expect(registered["user"]?["email_verified"] == false)
        #expect(registered["user"]?["orgs"]?.array?.first?["name"] == "Acme")
        #expect(registered["user"]?["orgs"]?.array?.first?["role"] == "owner")
        #expect(registered["token_type"] == "Bearer")
        #expect(registered["expires_in"] == 900)
        #expect(registered["refresh_expires_in"] == 2_592_000)
        #expect(registered.header("cache-control") == "no-store")

        let me = await gate.call(.GET, "/api/v1/auth/me", token: registered.accessToken)
        #expect(me.status == 200)
        #expect(me.json == registered["user"])

        gate.time.advance(by: .seconds(60))
        let refreshed = await gate.call(.POST, "/api/v1/auth/refresh", ["refresh_token": .string(registered.refreshToken)])
        #expect(refreshed.status == 200)
        #expect(refreshed["session_id"] == registered["session_id"])
        #expect(refreshed.refreshToken != registered.refreshToken)

        let sessions = await gate.call(.GET, "/api/v1/auth/sessions", token: refreshed.accessToken)
        #expect(sessions["sessions"]?.array?.count == 1)
        #expect(sessions["sessions"]?.array?.first?["current"] == true)
        #expect(sessions["sessions"]?.array?.first?["address"] == "192.0.2.1")

        let out = await gate.call(.POST, "/api/v1/auth/logout", token: refreshed.accessToken)
        #expect(out.status == 204)
        #expect(out.header("set-cookie")?.contains("Max-Age=0") == true)
        for token in [registered.accessToken, refreshed.accessToken] {
            let refused = await gate.call(.GET, "/api/v1/auth/me", token: token)
            #expect(refused.status == 401)
            #expect(refused.code == "auth/token-revoked")
            #expect(refused.header("www-authenticate")?.hasPrefix("Bearer") == true)
        }
        let dead = await gate.call(.POST, "/api/v1/auth/refresh", ["refresh_token": .string(refreshed.refreshToken)])
        #expect(dead.status == 401)
        await gate.close()
    }

    @Test("the same address, in any case, is taken; every unmet requirement is named")
    func registrationFaults() async throws {
        let gate = try await APIHarness()
        #expect(await gate.register("ann@example.com").status == 201)
        let taken = await gate.register("ANN@example.com")
        #expect(taken.status == 409)
        #expect(taken.code == "auth/email-taken")

        let faults = await gate.call(.POST, "/api/v1/auth/register", ["email": "not an address", "password": "aaa"])
        #expect(faults.status == 422)
        let fields = (faults["errors"]?.array ?? []).compactMap { $0["field"]?.string }
        #expect(fields.contains("email"))
        #expect(fields.count { $0 == "password" } >= 2)
        let missing = await gate.call(.POST, "/api/v1/auth/register", ["email": 7])
        #expect(missing["errors"]?.array?.compactMap { $0["field"]?.string } == ["email", "password"])
        await gate.close()
    }

    @Test("CHECKLIST 20: log-in answers the same for an unknown address and a wrong password, a disabled account too")
    func sameAnswer() async throws {
        let gate = try await APIHarness()
        let id = await gate.register("ann@example.com")["user"]?["id"]?.string ?? ""
        _ = await gate.register("bob@example.com")
        _ = await gate.operate(.POST, "/admin/users/\(id)/disable")
        var bodies: Set<String> = []
        for email in ["ann@example.com", "bob@example.com", "nobody@example.com"] {
            let reply = await gate.call(.POST, "/api/v1/auth/login", ["email": .string(email), "password": "a wrong password"])
            #expect(reply.status == 401)
            bodies.insert(reply.text)
        }
        #expect(bodies.count == 1)
        let disabled = await gate.call(.POST, "/api/v1/auth/login", ["email": "ann@example.com", "password": "correct horse battery"])
        #expect(disabled.status == 403)
        #expect(disabled.code == "auth/account-disabled")
        await gate.close()
    }

    @Test("a form signs in as JSON does, and other types do not")
    func bodies() async throws {
        let gate = try await APIHarness()
        _ = await gate.register("ann@example.com")
        let wrongType = await gate.call(.POST, "/api/v1/auth/login", ["email": "x"], headers: ["content-type": "text/plain"])
        #expect(wrongType.status == 415)
        #expect(wrongType.code == "unsupported-media-type")
        await gate.close()
    }

    @Test("CHECKLIST 6: a password change ends the other sessions, and the old password")
    func passwordChange() async throws {
        let gate = try await APIHarness()
        let first = await gate.register("ann@example.com")
        let second = await gate.call(.POST, "/api/v1/auth/login", ["email": "ann@example.com", "password": "correct horse battery"])
        let wrong = await gate.call(
            .POST, "/api/v1/auth/password", ["current_password": "not it", "new_password": "another good one"], token: first.accessToken)
        #expect(wrong.status == 401)
        let changed = await gate.call(
            .POST, "/api/v1/auth/password", ["current_password": "correct horse battery", "new_password": "another good one"],
            token: first.accessToken)
        #expect(changed.status == 204)
        #expect(await gate.call(.GET, "/api/v1/auth/me", token: first.accessToken).status == 200)
        #expect(await gate.call(.GET, "/api/v1/auth/me", token: second.accessToken).code == "auth/token-revoked")
        let old = await gate.call(.POST, "/api/v1/auth/login", ["email": "ann@example.com", "password": "correct horse battery"])
        #expect(old.status == 401)
        await gate.close()
    }

    @Test("CHECKLIST 1: a refresh token used again after the grace time ends the session, access tokens and all")
    func reuse() async throws {
        let gate = try await APIHarness()
        let first = await gate.register("ann@example.com")
        let body: JSON = ["refresh_token": .string(first.refreshToken)]
        let second = await gate.call(.POST, "/api/v1/auth/refresh", body)
        gate.time.advance(by: .seconds(9))
        let again = await gate.call(.POST, "/api/v1/auth/refresh", body)
        #expect(again.refreshToken == second.refreshToken)
        gate.time.advance(by: .seconds(2))
        let stolen = await gate.call(.POST, "/api/v1/auth/refresh", body)
        #expect(stolen.code == "auth/token-revoked")
        #expect(await gate.call(.GET, "/api/v1/auth/me", token: second.accessToken).code == "auth/token-revoked")
        let heir = await gate.call(.POST, "/api/v1/auth/refresh", ["refresh_token": .string(second.refreshToken)])
        #expect(heir.status == 401)
        await gate.close()
    }

    @Test("an expired token says so, and one that is none says who is wanted")
    func expiry() async throws {
        let gate = try await APIHarness()
        let token = await gate.register("ann@example.com").accessToken
        gate.time.advance(by: .seconds(900 + 61))
        #expect(await gate.call(.GET, "/api/v1/auth/me", token: token).code == "auth/token-expired")
        for junk in ["", "x", "a.b.c", String(repeating: "a", count: 9000)] {
            #expect(await gate.call(.GET, "/api/v1/auth/me", token: junk).code == "auth/required")
        }
        #expect(await gate.call(.GET, "/api/v1/auth/me").code == "auth/required")
        let basic = await gate.call(.GET, "/api/v1/auth/me", headers: ["authorization": "Basic YTpi"])
        #expect(basic.code == "auth/required")
        await gate.close()
    }

    @Test("the profile is changed in part, cleared by null, and told at once")
    func profile() async throws {
        let gate = try await APIHarness()
        let token = await gate.register("ann@example.com").accessToken
        let named = await gate.call(.PATCH, "/api/v1/auth/me", ["name": "Ann Ö", "avatar_url": "https://example.com/a.png"], token: token)
        #expect(named.status == 200)
        #expect(named["name"] == "Ann Ö")
        let cleared = await gate.call(.PATCH, "/api/v1/auth/me", ["avatar_url": .null], token: token)
        #expect(cleared["avatar_url"] == .null)
        #expect(await gate.call(.GET, "/api/v1/auth/me", token: token)["name"] == "Ann Ö")
        let bad = await gate.call(.PATCH, "/api/v1/auth/me", ["avatar_url": "javascript:alert(1)"], token: token)
        #expect(bad.status == 422)
        await gate.close()
    }

    @Test("registration can be closed")
    func closed() async throws {
        let gate = try await APIHarness(registration: .closed)
        let reply = await gate.register("ann@example.com")
        #expect(reply.status == 403)
        #expect(reply.code == "auth/forbidden")
        await gate.close()
    }

    @Test(
        "what can be verified in public has its key published, and nothing else: with HS256 that is assertions alone",
        arguments: SigningAlgorithm.allCases)
    func keys(algorithm: SigningAlgorithm) async throws {
        let gate = try await APIHarness(signing: algorithm)
        let keys = await gate.call(.GET, "/.well-known/jwks.json")
        #expect(keys["keys"]?.array?.map { $0["alg"]?.string } == [(algorithm == .hs256 ? .edDSA : algorithm).rawValue])
        #expect(keys["keys"]?.array?.allSatisfy { $0["d"] == nil && $0["k"] == nil } == true)
        let token = await gate.register("ann@example.com").accessToken
        #expect(await gate.call(.GET, "/api/v1/auth/me", token: token).status == 200)
        await gate.close()
    }

    @Test("a database that failed is a 503, never signed out, and the log says why")
    func brokenDatabase() async throws {
        let gate = try await APIHarness()
        let registered = await gate.register("ann@example.com")
        #expect(await gate.call(.GET, "/api/v1/auth/me", token: registered.accessToken).status == 200)
        gate.identity.cookies.removeAll()
        await gate.breakDatabase()
        let me = await gate.call(.GET, "/api/v1/auth/me", headers: ["cookie": registered.cookie])
        #expect(me.status == 503)
        #expect(me.code == "unavailable")
        #expect(me.header("retry-after") != nil)
        #expect(gate.log.lines.contains { $0.contains("0000000000c0ffee") })
        #expect(await gate.call(.GET, "/api/v1/auth/me", token: registered.accessToken).status == 200)
        await gate.identity.passwords.shutdown()
    }
}
