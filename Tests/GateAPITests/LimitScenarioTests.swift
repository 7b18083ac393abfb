import GateAPI
import GateAccess
import GateCore
import GateHTTP
import GateLimits
import GateTesting
import NIOHTTP1
import Testing

@Suite("Limits over the API")
struct LimitScenarioTests {
    private static let contract: [RequestLimits.Policy: LimitPolicy] = [
        .api: LimitPolicy(name: "api", limit: 100, window: .seconds(60)),
        .auth: LimitPolicy(name: "auth", limit: 10, window: .seconds(900)),
        .login: LimitPolicy(name: "login", limit: 5, window: .seconds(60)),
        .loginAccount: LimitPolicy(name: "login-account", limit: 5, window: .seconds(900)),
        .register: LimitPolicy(name: "register", limit: 3, window: .seconds(3600)),
    ]

    private static let wrong: JSON = ["email": "nobody@example.com", "password": "wrong"]

    @Test("the sixth log-in of a minute is refused, with everything that a client needs to know")
    func login() async throws {
        let gate = try await APIHarness(limits: Self.contract)
        // Failed log-ins have a wait of their own, so these are spread over addresses.
        for number in 1...5 {
            let reply = await gate.call(.POST, "/api/v1/auth/login", ["email": .string("user\(number)@example.com"), "password": "wrong"])
            #expect(reply.status == 401)
            #expect(reply.header("x-ratelimit-remaining") == "\(5 - number)")
        }
        let refused = await gate.call(.POST, "/api/v1/auth/login", Self.wrong)
        #expect(refused.status == 429)
        #expect(refused.code == "rate-limit/exceeded")
        #expect(refused.header("retry-after") == "60")
        #expect(refused.header("ratelimit") == "\"login\";r=0;t=60")
        #expect(refused.header("ratelimit-policy")?.contains("\"login\";q=5;w=60") == true)
        #expect(refused.header("x-ratelimit-limit") == "5")

        let elsewhere = await gate.call(.POST, "/api/v1/auth/login", Self.wrong, from: "192.0.2.2")
        #expect(elsewhere.status == 401)
        await gate.close()
    }

    @Test("CHECKLIST 56: a client that waits exactly Retry-After is admitted")
    func waits() async throws {
        let gate = try await APIHarness(limits: [.login: LimitPolicy(name: "login", limit: 1, window: .seconds(60))])
        _ = await gate.call(.POST, "/api/v1/auth/login", Self.wrong)
        let refused = await gate.call(.POST, "/api/v1/auth/login", Self.wrong)
        #expect(refused.status == 429)
        gate.time.advance(by: .seconds(Int64(refused.header("retry-after") ?? "") ?? 0))
        #expect(await gate.call(.POST, "/api/v1/auth/login", Self.wrong).status == 401)
        await gate.close()
    }

    @Test("CHECKLIST 35: IPv6 is counted by /64, IPv4 by address")
    func networks() async throws {
        let gate = try await APIHarness(limits: [.login: LimitPolicy(name: "login", limit: 1, window: .seconds(60))])
        #expect(await gate.call(.POST, "/api/v1/auth/login", Self.wrong, from: "2001:db8:1:2::1").status == 401)
        #expect(await gate.call(.POST, "/api/v1/auth/login", Self.wrong, from: "2001:db8:1:2:ffff::9").status == 429)
        #expect(await gate.call(.POST, "/api/v1/auth/login", Self.wrong, from: "2001:db8:1:3::1").status == 401)
        await gate.close()
    }

    @Test("the API is counted by user where one is signed in, so that two users behind one address don't share")
    func users() async throws {
        let gate = try await APIHarness(limits: [.api: LimitPolicy(name: "api", limit: 2, window: .seconds(60))])
        let ann = await gate.call(
            .POST, "/api/v1/auth/register", ["email": "ann@example.com", "password": "correct horse battery"], from: "192.0.2.7")
        let bob = await gate.call(
            .POST, "/api/v1/auth/register", ["email": "bob@example.com", "password": "correct horse battery"], from: "192.0.2.8")
        for token in [ann.accessToken, bob.accessToken] {
            for expected in [200, 200, 429] { #expect(await gate.call(.GET, "/api/v1/auth/me", token: token).status == expected) }
        }
        await gate.close()
    }

    @Test("requests with bad tokens are counted by network, and so are unknown paths and unreadable bodies")
    func nothingIsFree() async throws {
        let policies = [RequestLimits.Policy.api: LimitPolicy(name: "api", limit: 3, window: .seconds(60))]
        let gate = try await APIHarness(limits: policies)
        #expect(await gate.call(.GET, "/api/v1/auth/me", token: "junk").status == 401)
        #expect(await gate.call(.GET, "/api/v1/nothing").status == 404)
        #expect(await gate.call(.POST, "/api/v1/auth/login", "not an object").status == 400)
        #expect(await gate.call(.GET, "/api/v1/auth/me", token: "junk").status == 429)
        #expect(await gate.call(.GET, "/api/v1/nothing").status == 429)
        await gate.close()
    }

    @Test("health is never limited")
    func health() async throws {
        let gate = try await APIHarness(limits: [.api: LimitPolicy(name: "api", limit: 1, window: .seconds(60))])
        for path in ["/health", "/api/v1/health", "/api/health", "/api/v1/health/live", "/api/v1/health/ready"] {
            for _ in 0..<20 { #expect(await gate.call(.GET, path).status == 200) }
        }
        await gate.close()
    }

    @Test("CHECKLIST 26: log-ins that keep failing wait longer, for an unknown address too, and only from that network")
    func failedLogins() async throws {
        let gate = try await APIHarness()
        _ = await gate.register("ann@example.com")
        for email in ["ann@example.com", "nobody@example.com"] {
            let attempt: JSON = ["email": .string(email), "password": "a wrong password"]
            var statuses: [Int] = []
            for _ in 0..<8 { statuses.append(await gate.call(.POST, "/api/v1/auth/login", attempt).status) }
            #expect(statuses.first == 401)
            #expect(statuses.last == 429)
            let waiting = await gate.call(.POST, "/api/v1/auth/login", attempt)
            #expect((Int(waiting.header("retry-after") ?? "") ?? 0) >= 1)
        }
        let owner: JSON = ["email": "ann@example.com", "password": "correct horse battery"]
        #expect(await gate.call(.POST, "/api/v1/auth/login", owner, from: "198.51.100.1").status == 200)
        gate.time.advance(by: .seconds(3600))
        #expect(await gate.call(.POST, "/api/v1/auth/login", owner).status == 200)
        await gate.close()
    }
}
