import GateAPI
import GateAccess
import GateCore
import GateHTTP
import GateLimits
import GateTesting
import NIOHTTP1
import Testing

@Suite("The operator's calls", .onEachDatabase)
struct AdminScenarioTests {
    @Test("a user is added, shown by id and address, given a password, and deleted")
    func users() async throws {
        let gate = try await APIHarness()
        let added = await gate.operate(.POST, "/admin/users", ["email": "ann+x@example.com", "name": "Ann", "org_name": "Acme"])
        #expect(added.status == 201)
        let id = added["user"]?["id"]?.string ?? ""
        #expect(added["orgs"]?.array?.first?["role"] == "owner")
        let login: JSON = ["email": "ann+x@example.com", "password": "correct horse battery"]
        #expect(await gate.call(.POST, "/api/v1/auth/login", login).status == 401)

        let set = await gate.operate(.PUT, "/admin/users/ann%2Bx%40example.com/password", ["password": "correct horse battery"])
        #expect(set.status == 200)
        #expect(await gate.call(.POST, "/api/v1/auth/login", login).status == 200)
        #expect(await gate.operate(.GET, "/admin/users/\(id)/sessions")["sessions"]?.array?.count == 1)
        #expect(await gate.operate(.GET, "/admin/users")["users"]?.array?.count == 1)

        #expect(await gate.operate(.DELETE, "/admin/users/\(id)").status == 204)
        #expect(await gate.operate(.GET, "/admin/users/\(id)").status == 404)
        #expect(await gate.call(.POST, "/api/v1/auth/login", login).status == 401)
        await gate.close()
    }

    @Test("CHECKLIST 5: disabling and deleting end everything of a user at once")
    func ends() async throws {
        let gate = try await APIHarness()
        for action in ["disable", "delete"] {
            let user = await gate.register("\(action)@example.com")
            let id = user["user"]?["id"]?.string ?? ""
            _ =
                action == "delete"
                ? await gate.operate(.DELETE, "/admin/users/\(id)") : await gate.operate(.POST, "/admin/users/\(id)/disable")
            #expect(await gate.call(.GET, "/api/v1/auth/me", token: user.accessToken).code == "auth/token-revoked")
            #expect(await gate.call(.GET, "/api/v1/auth/me", headers: ["cookie": user.cookie]).status == 401)
            let refresh = await gate.call(.POST, "/api/v1/auth/refresh", ["refresh_token": .string(user.refreshToken)])
            #expect(refresh.status == 401)
        }
        await gate.close()
    }

    @Test("a session is ended by its id, once")
    func sessions() async throws {
        let gate = try await APIHarness()
        let user = await gate.register("ann@example.com")
        let id = user["session_id"]?.string ?? ""
        #expect(await gate.operate(.DELETE, "/admin/sessions/\(id)")["ended"] == 1)
        #expect(await gate.call(.GET, "/api/v1/auth/me", token: user.accessToken).code == "auth/token-revoked")
        #expect(await gate.operate(.DELETE, "/admin/sessions/\(id)").status == 404)
        #expect(await gate.operate(.DELETE, "/admin/sessions/nonsense").status == 404)
        await gate.close()
    }

    @Test("limits are listed and cleared by what an operator knows")
    func limits() async throws {
        let policies: [RequestLimits.Policy: LimitPolicy] = [
            .login: LimitPolicy(name: "login", limit: 1, window: .seconds(60)),
            .loginAccount: LimitPolicy(name: "login-account", limit: 1, window: .seconds(60)),
        ]
        let gate = try await APIHarness(limits: policies)
        let attempt: JSON = ["email": "ann@example.com", "password": "wrong"]
        #expect(await gate.call(.POST, "/api/v1/auth/login", attempt).status == 401)
        #expect(await gate.call(.POST, "/api/v1/auth/login", attempt).status == 429)
        let listed = await gate.operate(.GET, "/admin/limits?policy=login")["limits"]?.array
        #expect(listed?.count == 1)
        #expect(listed?.first?["subject"] == "192.0.2.1")
        #expect(listed?.first?["used"] == 1)
        #expect(await gate.operate(.DELETE, "/admin/limits?network=192.0.2.0/24")["cleared"] == 3)
        #expect(await gate.call(.POST, "/api/v1/auth/login", attempt).status == 401)
        #expect(await gate.operate(.DELETE, "/admin/limits?email=ann%40example.com")["cleared"] == 2)
        #expect(await gate.operate(.DELETE, "/admin/limits?policy=login")["cleared"] == 1)
        for target in ["/admin/limits", "/admin/limits?policy=nope", "/admin/limits?network=nope", "/admin/limits?email=nope"] {
            #expect(await gate.operate(.DELETE, target).status == 422)
        }
        await gate.close()
    }

    @Test("what is faulty is said, and nothing is reachable from outside")
    func faults() async throws {
        let gate = try await APIHarness()
        #expect(await gate.operate(.GET, "/admin/users?limit=0").status == 422)
        #expect(await gate.operate(.PUT, "/admin/users").status == 405)
        #expect(await gate.operate(.GET, "/admin/users/nobody%40example.com").status == 404)
        #expect(await gate.operate(.GET, "/metrics").text == "metric 1\n")
        for path in ["/admin/users", "/admin/limits", "/metrics"] { #expect(await gate.call(.GET, path).status == 404) }
        await gate.close()
    }
}
