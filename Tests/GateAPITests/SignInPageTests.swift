import GateAPI
import GateAccess
import GateCore
import GateCrypto
import GateHTTP
import GateIdentity
import GateLimits
import NIOCore
import NIOHTTP1
import Testing

@Suite("The sign-in page")
struct SignInPageTests {
    private static let own: HTTPHeaders = ["origin": APIHarness.origin, "sec-fetch-mode": "navigate"]

    private static func form(_ email: String, _ password: String) -> String {
        "email=\(FormEncoding.encode(email))&password=\(FormEncoding.encode(password))"
    }

    @Test("is plain HTML without scripts, under a strict policy, and framed by nobody")
    func plain() async throws {
        let gate = try await APIHarness()
        let page = await gate.call(.GET, "/.gatehouse/sign-in?redirect=/a%3Fb%3D%22%3E")
        #expect(page.status == 200)
        #expect(page.header("content-type") == "text/html; charset=utf-8")
        #expect(page.header("cache-control") == "no-store")
        let policies = page.headers["content-security-policy"]
        #expect(policies.count == 1)
        #expect(policies[0].hasPrefix("default-src 'none'; style-src 'sha256-"))
        #expect(policies[0].hasSuffix("form-action 'self'; base-uri 'none'; frame-ancestors 'none'"))
        #expect(page.header("x-frame-options") == "DENY")
        #expect(page.header("x-content-type-options") == "nosniff")
        #expect(!page.text.contains("<script"))
        #expect(page.text.contains("<label for=\"email\">") && page.text.contains("autocomplete=\"current-password\""))
        #expect(page.text.contains("action=\"/.gatehouse/sign-in?redirect=/a%3Fb%3D%22%3E\""))
        await gate.close()
    }

    @Test("signs in with a form, sets the cookie, and leads back")
    func signsIn() async throws {
        let gate = try await APIHarness()
        _ = await gate.register("ann@example.com")
        let done = await gate.submit(
            "/.gatehouse/sign-in?redirect=/app%3Fx%3D1", Self.form("Ann@example.com", "correct horse battery"), Self.own)
        #expect(done.status == 303)
        #expect(done.header("location") == "/app?x=1")
        #expect(await gate.call(.GET, "/api/v1/auth/me", headers: ["cookie": done.cookie]).status == 200)
        let again = await gate.call(.GET, "/.gatehouse/sign-in?redirect=/app", headers: ["cookie": done.cookie])
        #expect(again.status == 200)
        #expect(again.text.contains("ann@example.com") && again.text.contains("href=\"/app\""))
        await gate.close()
    }

    @Test(
        "what fails is said on the page again, with what was typed but for the password",
        arguments: [
            ("ann@example.com", "wrong", 401, "The e-mail address or the password is wrong."),
            ("nobody@example.com", "wrong", 401, "The e-mail address or the password is wrong."),
            ("\"><script>", "wrong", 401, "The e-mail address or the password is wrong."),
            ("ann@example.com", "", 422, "Fill in both"),
        ])
    func failures(email: String, password: String, status: Int, words: String) async throws {
        let gate = try await APIHarness()
        _ = await gate.register("ann@example.com")
        let page = await gate.submit("/.gatehouse/sign-in?redirect=/a", Self.form(email, password), Self.own)
        #expect(page.status == status)
        #expect(page.text.contains(words) && page.text.contains("role=\"alert\""))
        #expect(page.cookie == "")
        #expect(!page.text.contains("<script") && !page.text.contains("wrong\""))
        #expect(page.text.contains("redirect=/a\""))
        await gate.close()
    }

    @Test("is limited as the API's log-in is, together with it")
    func limited() async throws {
        let gate = try await APIHarness(limits: [.login: LimitPolicy(name: "login", limit: 2, window: .seconds(60))])
        _ = await gate.register("ann@example.com")
        _ = await gate.call(.POST, "/api/v1/auth/login", ["email": "ann@example.com", "password": "wrong"])
        _ = await gate.submit("/.gatehouse/sign-in", Self.form("ann@example.com", "wrong"), Self.own)
        let page = await gate.submit("/.gatehouse/sign-in", Self.form("ann@example.com", "correct horse battery"), Self.own)
        #expect(page.status == 429)
        #expect(page.header("retry-after") == "60")
        #expect(page.text.contains("Try again in 60 seconds."))
        await gate.close()
    }

    @Test(
        "CHECKLIST 13: a form that another site sent signs nobody in and nobody out",
        arguments: [["origin": "https://evil.example"], ["sec-fetch-site": "cross-site"], ["origin": "null"], [:]] as [[String: String]])
    func crossSite(fields: [String: String]) async throws {
        let gate = try await APIHarness()
        let ann = await gate.register("ann@example.com")
        var headers = HTTPHeaders(fields.map { ($0.key, $0.value) })
        let signIn = await gate.submit("/.gatehouse/sign-in", Self.form("ann@example.com", "correct horse battery"), headers)
        #expect(signIn.status == 403 && signIn.cookie == "")
        headers.add(name: "cookie", value: ann.cookie)
        #expect(await gate.submit("/.gatehouse/sign-out", "", headers).status == 403)
        #expect(await gate.call(.GET, "/api/v1/auth/me", headers: ["cookie": ann.cookie]).status == 200)
        await gate.close()
    }

    @Test(
        "CHECKLIST 28: afterwards it leads to paths of its own and to listed origins only",
        arguments: [
            ("/a", "/a"), ("https://app.example.com/x", "https://app.example.com/x"), ("//evil.example", "/"), ("/%5Cevil.example", "/"),
            ("https:evil.example", "/"), ("https://app.example.com.evil.example/", "/"), ("https://ann@evil.example", "/"),
            ("javascript:alert(1)", "/"), ("/\r\nset-cookie:x", "/"), ("", "/"),
        ])
    func redirects(redirect: String, expected: String) async throws {
        let gate = try await APIHarness(origins: ["https://app.example.com"])
        _ = await gate.register("ann@example.com")
        let path = "/.gatehouse/sign-in?redirect=\(FormEncoding.encode(redirect))"
        let done = await gate.submit(path, Self.form("ann@example.com", "correct horse battery"), Self.own)
        #expect(done.header("location") == expected)
        let form = Self.form("ann@example.com", "correct horse battery") + "&redirect=\(FormEncoding.encode(redirect))"
        #expect(await gate.submit("/.gatehouse/sign-in?redirect=/other", form, Self.own).header("location") == expected)
        await gate.close()
    }

    @Test("signing out ends the session, clears the cookie, and asks first where it was only looked at")
    func signsOut() async throws {
        let gate = try await APIHarness()
        let ann = await gate.register("ann@example.com")
        var headers = Self.own
        headers.add(name: "cookie", value: ann.cookie)
        let question = await gate.call(.GET, "/.gatehouse/sign-out", headers: headers)
        #expect(question.status == 200 && question.text.contains("method=\"post\" action=\"/.gatehouse/sign-out\""))
        #expect(await gate.call(.GET, "/api/v1/auth/me", headers: ["cookie": ann.cookie]).status == 200)
        for _ in 0..<2 {
            let done = await gate.submit("/.gatehouse/sign-out?redirect=/a", "", headers)
            #expect(done.status == 303 && done.header("location") == "/.gatehouse/sign-in?redirect=/a")
            #expect(done.header("set-cookie")?.contains("Max-Age=0") == true)
            #expect(await gate.call(.GET, "/api/v1/auth/me", headers: ["cookie": ann.cookie]).status == 401)
            #expect(await gate.call(.GET, "/api/v1/auth/me", token: ann.accessToken).code == "auth/token-revoked")
        }
        await gate.close()
    }

    @Test("a database that failed is said on the page, and signs nobody out")
    func brokenDatabase() async throws {
        let gate = try await APIHarness()
        let ann = await gate.register("ann@example.com")
        gate.identity.cookies.removeAll()
        await gate.breakDatabase()
        var headers = Self.own
        headers.add(name: "cookie", value: ann.cookie)
        for reply in [
            await gate.submit("/.gatehouse/sign-in", Self.form("ann@example.com", "correct horse battery"), Self.own),
            await gate.submit("/.gatehouse/sign-out", "", headers),
        ] {
            #expect(reply.status == 503)
            #expect(reply.header("content-type") == "text/html; charset=utf-8")
            #expect(reply.headers["set-cookie"].isEmpty)
        }
        await gate.identity.passwords.shutdown()
    }
}

extension APIHarness {
    /// Posts a form as a browser does.
    fileprivate func submit(_ path: String, _ form: String, _ headers: HTTPHeaders) async -> Reply {
        var headers = headers
        headers.add(name: "content-type", value: "application/x-www-form-urlencoded")
        let request = Request(
            id: RequestID(value: 1), method: .POST, target: RequestTarget(path)!, headers: headers, body: .bytes(ByteBuffer(string: form)),
            peer: .init("192.0.2.1"), client: .init("192.0.2.1"), authority: "gate.test")
        return Reply(await api.respond(to: request).response)
    }
}
