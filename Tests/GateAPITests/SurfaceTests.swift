import GateCore
import GateHTTP
import GateTesting
import NIOHTTP1
import Testing

@Suite("The surface of the API")
struct SurfaceTests {
    @Test("every error is a problem document with the request's id, and its type leads to a page")
    func problems() async throws {
        let gate = try await APIHarness()
        for (method, path, status) in [(HTTPMethod.GET, "/nothing", 404), (.PUT, "/health", 405), (.GET, "/api/v1/auth/me", 401)] {
            let reply = await gate.call(method, path)
            #expect(reply.status == status)
            #expect(reply.header("content-type") == "application/problem+json")
            #expect(reply["request_id"] == "0000000000c0ffee")
            #expect(reply["instance"]?.string == path)
            let type = reply["type"]?.string ?? ""
            #expect(type.hasPrefix(APIHarness.origin))
            let page = await gate.call(.GET, String(type.dropFirst(APIHarness.origin.count)))
            #expect(page.status == 200)
            #expect(page.text.contains(reply.code ?? "?"))
        }
        #expect(await gate.call(.PUT, "/health").header("allow") == "GET, HEAD, OPTIONS")
        #expect(await gate.call(.GET, "/problems/no/such").status == 404)
        await gate.close()
    }

    @Test("OPTIONS tells what is allowed, HEAD is answered like GET")
    func methods() async throws {
        let gate = try await APIHarness()
        let options = await gate.call(.OPTIONS, "/api/v1/auth/me")
        #expect(options.status == 204)
        #expect(options.header("allow") == "GET, PATCH, HEAD, OPTIONS")
        #expect(await gate.call(.HEAD, "/health").status == 200)
        await gate.close()
    }

    @Test("every answer carries the security headers", arguments: ["/health", "/nothing", "/api/v1/auth/me"])
    func securityHeaders(path: String) async throws {
        let gate = try await APIHarness()
        let reply = await gate.call(.GET, path)
        #expect(reply.header("x-content-type-options") == "nosniff")
        #expect(reply.header("x-frame-options") == "DENY")
        #expect(reply.header("content-security-policy") == "default-src 'none'")
        #expect(reply.header("referrer-policy") != nil)
        #expect(reply.header("server") == nil)
        await gate.close()
    }

    @Test("CHECKLIST 14: a listed origin reads answers with credentials, errors too")
    func cors() async throws {
        let gate = try await APIHarness(origins: ["https://www.example.com"])
        let reply = await gate.call(.GET, "/api/v1/auth/me", headers: ["origin": "https://www.example.com"])
        #expect(reply.status == 401)
        #expect(reply.header("access-control-allow-origin") == "https://www.example.com")
        #expect(reply.header("access-control-allow-credentials") == "true")
        let other = await gate.call(.GET, "/health", headers: ["origin": "https://evil.example"])
        #expect(other.header("access-control-allow-origin") == nil)
        #expect(other.header("vary") == "Origin")
        await gate.close()
    }

    @Test("health tells its five things")
    func health() async throws {
        let gate = try await APIHarness()
        #expect(await gate.call(.GET, "/health")["status"] == "ok")
        #expect(await gate.call(.GET, "/health")["timestamp"]?.string == gate.time.now().rfc3339)
        let report = await gate.call(.GET, "/api/v1/health")
        #expect(report["status"] == "healthy")
        #expect(report["version"] == "test")
        gate.time.advance(by: .seconds(90))
        #expect(await gate.call(.GET, "/api/health")["uptime"] == 90)
        #expect(await gate.call(.GET, "/api/v1/health/live").json == ["status": "ok"])
        #expect(await gate.call(.GET, "/api/v1/health/ready").json == ["status": "ready"])
        await gate.close()
    }

    @Test("organisations: their members see them, others don't, and an owner stays")
    func organisations() async throws {
        let gate = try await APIHarness()
        let ann = await gate.register("ann@example.com", org: "Acme")
        let bob = await gate.register("bob@example.com")
        let id = ann["user"]?["orgs"]?.array?.first?["id"]?.string ?? ""
        let owner = ann["user"]?["id"]?.string ?? ""
        #expect(await gate.call(.GET, "/api/v1/orgs/\(id)", token: ann.accessToken)["name"] == "Acme")
        #expect(await gate.call(.GET, "/api/v1/orgs/\(id)", token: bob.accessToken).status == 404)
        #expect(await gate.call(.GET, "/api/v1/orgs/\(id)/members", token: bob.accessToken).status == 404)
        let members = await gate.call(.GET, "/api/v1/orgs/\(id)/members", token: ann.accessToken)
        #expect(members["members"]?.array?.first?["user_id"]?.string == owner)
        let alone = await gate.call(.PATCH, "/api/v1/orgs/\(id)/members/\(owner)", ["role": "member"], token: ann.accessToken)
        #expect(alone.status == 403)
        let unknown = await gate.call(.PATCH, "/api/v1/orgs/\(id)/members/\(owner)", ["role": "king"], token: ann.accessToken)
        #expect(unknown.status == 422)
        let second = await gate.call(.POST, "/api/v1/orgs", ["name": "Second"], token: bob.accessToken)
        #expect(second.status == 201)
        #expect(await gate.call(.GET, "/api/v1/orgs", token: bob.accessToken)["orgs"]?.array?.count == 1)
        #expect(await gate.call(.GET, "/api/v1/orgs/not-an-id", token: bob.accessToken).status == 404)
        await gate.close()
    }
}
