import GateCore
import GateHTTP
import GateTesting
import NIOHTTP1
import Testing

@Suite("The session cookie over the API", .onEachDatabase)
struct CookieScenarioTests {
    @Test("CHECKLIST 12: reading needs the cookie alone, changing also a same-origin word; a bearer token needs neither")
    func crossSite() async throws {
        let gate = try await APIHarness()
        let registered = await gate.register("ann@example.com")
        let cookie = registered.cookie
        #expect(cookie.hasPrefix("gatehouse="))
        #expect(await gate.call(.GET, "/api/v1/auth/me", headers: ["cookie": cookie]).status == 200)

        let patch: JSON = ["name": "Ann"]
        let bare = await gate.call(.PATCH, "/api/v1/auth/me", patch, headers: ["cookie": cookie])
        #expect(bare.status == 403)
        #expect(bare.code == "auth/csrf")
        let evil = await gate.call(.PATCH, "/api/v1/auth/me", patch, headers: ["cookie": cookie, "origin": "https://evil.example"])
        #expect(evil.code == "auth/csrf")
        let own = await gate.call(.PATCH, "/api/v1/auth/me", patch, headers: ["cookie": cookie, "origin": APIHarness.origin])
        #expect(own.status == 200)
        #expect(await gate.call(.PATCH, "/api/v1/auth/me", patch, token: registered.accessToken).status == 200)
        await gate.close()
    }

    @Test("another site's page cannot sign a browser in to its own account")
    func crossSiteSignIn() async throws {
        let gate = try await APIHarness()
        _ = await gate.register("ann@example.com")
        let reply = await gate.call(
            .POST, "/api/v1/auth/login", ["email": "ann@example.com", "password": "correct horse battery"],
            headers: ["origin": "https://evil.example", "sec-fetch-site": "cross-site"])
        #expect(reply.code == "auth/csrf")
        #expect(reply.headers["set-cookie"].isEmpty)
        await gate.close()
    }

    @Test("CHECKLIST 9: a cookie that the client made up signs nobody in, and sign-in gives a session of its own")
    func fixation() async throws {
        let gate = try await APIHarness()
        let first = await gate.register("ann@example.com")
        let forged = await gate.call(.GET, "/api/v1/auth/me", headers: ["cookie": "gatehouse=gst_AAAAAAAA"])
        #expect(forged.code == "auth/required")
        let second = await gate.call(
            .POST, "/api/v1/auth/login", ["email": "ann@example.com", "password": "correct horse battery"],
            headers: ["cookie": first.cookie, "origin": APIHarness.origin])
        #expect(second.cookie != first.cookie)
        #expect(second["session_id"] != first["session_id"])
        await gate.close()
    }

    @Test("a refresh by cookie gives tokens, and leaves a program's refresh token alone")
    func refreshByCookie() async throws {
        let gate = try await APIHarness()
        let registered = await gate.register("ann@example.com")
        let headers: HTTPHeaders = ["cookie": registered.cookie, "origin": APIHarness.origin]
        let refreshed = await gate.call(.POST, "/api/v1/auth/refresh", headers: headers)
        #expect(refreshed.status == 200)
        #expect(refreshed.cookie == registered.cookie)
        gate.time.advance(by: .seconds(60))
        let program = await gate.call(.POST, "/api/v1/auth/refresh", ["refresh_token": .string(registered.refreshToken)])
        #expect(program.status == 200)
        let crossSite = await gate.call(.POST, "/api/v1/auth/refresh", headers: ["cookie": registered.cookie])
        #expect(crossSite.code == "auth/csrf")
        #expect(await gate.call(.POST, "/api/v1/auth/refresh").code == "auth/required")
        await gate.close()
    }

    @Test("CHECKLIST 4, 5: signing out and disabling end the cookie at the next request")
    func ended() async throws {
        let gate = try await APIHarness()
        let ann = await gate.register("ann@example.com")
        let bob = await gate.register("bob@example.com")
        _ = await gate.call(.POST, "/api/v1/auth/logout", headers: ["cookie": ann.cookie, "sec-fetch-site": "same-origin"])
        #expect(await gate.call(.GET, "/api/v1/auth/me", headers: ["cookie": ann.cookie]).status == 401)
        #expect(await gate.call(.GET, "/api/v1/auth/me", headers: ["cookie": bob.cookie]).status == 200)
        _ = await gate.operate(.POST, "/admin/users/bob%40example.com/disable")
        #expect(await gate.call(.GET, "/api/v1/auth/me", headers: ["cookie": bob.cookie]).status == 401)
        #expect(await gate.call(.GET, "/api/v1/auth/me", token: bob.accessToken).code == "auth/token-revoked")
        await gate.close()
    }

    @Test("CHECKLIST 11: on HTTPS the cookie has the __Host- prefix and is Secure, and stays under 4096 bytes")
    func secure() async throws {
        let gate = try await APIHarness(secure: true)
        let cookie = await gate.register("ann@example.com").header("set-cookie") ?? ""
        #expect(cookie.hasPrefix("__Host-gatehouse="))
        for attribute in ["; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/"] { #expect(cookie.contains(attribute)) }
        #expect(!cookie.contains("Domain"))
        #expect(cookie.utf8.count < 4096)
        await gate.close()
    }
}
