import GateAccess
import GateHTTP
import GateIdentity
import GateTesting
import NIOHTTP1
import Testing

@Suite("Requests that another site's page made")
struct DoorCrossSiteTests {
    struct Scenario: CustomTestStringConvertible {
        var method = HTTPMethod.POST
        var fields: [(String, String)]
        /// As the connection tells of it.
        var upgrade: String?
        var isOurs: Bool
        var testDescription: String { "\(method.rawValue) \(fields.map { "\($0): \($1)" })" }
    }

    static let scenarios = [
        Scenario(fields: [], isOurs: false),
        Scenario(fields: [("origin", DoorFixture.origin)], isOurs: true),
        Scenario(fields: [("sec-fetch-site", "same-origin")], isOurs: true),
        Scenario(fields: [("origin", DoorFixture.origin), ("sec-fetch-site", "same-origin")], isOurs: true),
        Scenario(fields: [("origin", DoorFixture.origin), ("sec-fetch-site", "cross-site")], isOurs: false),
        Scenario(fields: [("origin", DoorFixture.listed)], isOurs: true),
        Scenario(fields: [("origin", "null")], isOurs: false),
        Scenario(fields: [("origin", "https://evil.test")], isOurs: false),
        Scenario(fields: [("origin", "http://app.test")], isOurs: false),
        Scenario(fields: [("origin", "https://app.test:8443")], isOurs: false),
        // Another host of ours is another site to the application, the one of public_url included.
        Scenario(fields: [("origin", "https://gate.test")], isOurs: false),
        Scenario(fields: [("sec-fetch-site", "same-site")], isOurs: false),
        Scenario(fields: [("sec-fetch-site", "none")], isOurs: false),
        Scenario(method: .GET, fields: [("origin", "https://evil.test"), ("sec-fetch-site", "cross-site")], isOurs: true),
        Scenario(method: .DELETE, fields: [], isOurs: false),
        Scenario(method: .RAW(value: "PURGE"), fields: [], isOurs: false),
        Scenario(method: .GET, fields: [], upgrade: "websocket", isOurs: false),
        Scenario(method: .GET, fields: [("origin", "https://evil.test")], upgrade: "websocket", isOurs: false),
        Scenario(method: .GET, fields: [("origin", DoorFixture.origin)], upgrade: "websocket", isOurs: true),
        Scenario(method: .GET, fields: [("origin", DoorFixture.listed)], upgrade: "websocket", isOurs: true),
        Scenario(method: .GET, fields: [], upgrade: "h2c", isOurs: true),
        Scenario(method: .GET, fields: [("sec-websocket-key", "x"), ("origin", "https://evil.test")], isOurs: false),
    ]

    @Test(
        "CHECKLIST 12, 15: with the cookie, unsafe methods and upgrades need a word from our own pages; with a token they don't",
        arguments: scenarios)
    func crossSite(scenario: Scenario) async throws {
        try await DoorFixture.with { gate in
            let ann = try await gate.accounts.register()
            func admit(_ fields: [(String, String)], at access: AccessRule) async -> Outcome {
                let request = DoorFixture.request(scenario.method, "/", scenario.fields + fields, upgrade: scenario.upgrade)
                return await gate.admit(request, at: DoorFixture.door(access))
            }
            let closed = await admit([ann.cookieField], at: .signedIn)
            #expect(closed.word == (scenario.isOurs ? "somebody" : "403 auth/csrf"))
            let open = await admit([ann.cookieField], at: .optional)
            #expect(open.word == (scenario.isOurs ? "somebody" : "nobody"))
            let byToken = await admit([ann.bearerField], at: .signedIn)
            #expect(byToken.word == "somebody")
        }
    }

    @Test(
        "a preflight is answered for listed origins, and is nobody's request otherwise",
        arguments: [(DoorFixture.listed, "204 "), ("https://evil.test", "401 auth/required"), ("null", "401 auth/required")])
    func preflight(origin: String, expected: String) async throws {
        try await DoorFixture.with { gate in
            let fields = [
                ("origin", origin), ("access-control-request-method", "PUT"), ("access-control-request-headers", "x-csrf-token"),
            ]
            let outcome = await gate.admit(.OPTIONS, "/", fields, at: DoorFixture.door(.signedIn))
            #expect(outcome.word.hasPrefix(expected))
            let isListed = origin == DoorFixture.listed
            #expect(outcome.header("access-control-allow-origin") == (isListed ? origin : nil))
            #expect(outcome.header("access-control-allow-headers") == (isListed ? "x-csrf-token" : nil))
            // What is open answers for itself.
            #expect(await gate.admit(.OPTIONS, "/", fields, at: DoorFixture.door(.everyone)).word == "nobody")
        }
    }
}
