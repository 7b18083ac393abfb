import GateAccess
import GateCore
import GateHTTP
import GateIdentity
import GateTesting
import NIOHTTP1
import Testing

@Suite("The doorkeeper")
struct DoorkeeperTests {
    /// Who comes, in a word.
    enum Caller: CaseIterable {
        case nobody, member, owner, ownerByToken, stale, expired, foreign
    }

    struct Scenario: CustomTestStringConvertible {
        var access: AccessRule
        var expected: [Caller: String]
        var testDescription: String { "\(access)" }
    }

    private static let required = "401 auth/required"

    static let scenarios = [
        Scenario(
            access: .everyone,
            expected: [
                .nobody: "nobody", .member: "nobody", .owner: "nobody", .ownerByToken: "nobody", .stale: "nobody", .expired: "nobody",
                .foreign: "nobody",
            ]),
        Scenario(
            access: .optional,
            expected: [
                .nobody: "nobody", .member: "somebody", .owner: "somebody", .ownerByToken: "somebody", .stale: "nobody",
                .expired: "401 auth/token-expired", .foreign: "nobody",
            ]),
        Scenario(
            access: .signedIn,
            expected: [
                .nobody: required, .member: "somebody", .owner: "somebody", .ownerByToken: "somebody", .stale: required,
                .expired: "401 auth/token-expired", .foreign: required,
            ]),
        Scenario(
            access: .role("admin"),
            expected: [
                .nobody: required, .member: "403 auth/forbidden", .owner: "somebody", .ownerByToken: "somebody", .stale: required,
                .expired: "401 auth/token-expired", .foreign: required,
            ]),
        Scenario(
            access: .role("auditor"),
            expected: [
                .nobody: required, .member: "403 auth/forbidden", .owner: "403 auth/forbidden", .ownerByToken: "403 auth/forbidden",
                .stale: required, .expired: "401 auth/token-expired", .foreign: required,
            ]),
    ]

    @Test("lets in whom the rule says, and tells the others why not", arguments: scenarios)
    func rules(scenario: Scenario) async throws {
        try await DoorFixture.with { gate in
            let old = try await gate.accounts.register("old@example.com")
            gate.accounts.time.advance(by: .seconds(3600))
            let owner = try await gate.accounts.register("ann@example.com", organisation: "Engines")
            let member = try await gate.accounts.register("bob@example.com")
            for caller in Caller.allCases {
                let fields: [(String, String)] =
                    switch caller {
                    case .nobody: []
                    case .member: [member.cookieField]
                    case .owner: [owner.cookieField]
                    case .ownerByToken: [owner.bearerField]
                    case .stale: [("cookie", "__Host-gatehouse=gst_AAAAAAAAAAAAAAAAAAAAAAAA")]
                    case .expired: [old.bearerField]
                    case .foreign: [("authorization", "Bearer the-application-s-own")]
                    }
                let outcome = await gate.admit(.GET, "/", fields, at: DoorFixture.door(scenario.access))
                #expect(outcome.word == scenario.expected[caller], "\(caller)")
            }
        }
    }

    @Test("a member of the organisation passes as what they are in it, also by a token that names another; who left does not")
    func organisation() async throws {
        try await DoorFixture.with { gate in
            let ann = try await gate.accounts.register("ann@example.com", organisation: "Engines")
            let bob = try await gate.accounts.register("bob@example.com", organisation: "Bob's own")
            let engines = try #require(ann.profile.memberships.first).organisation.id
            let door = DoorFixture.door(.organisation(engines))
            #expect(await gate.admit(.GET, "/", [bob.cookieField], at: door).word == "403 auth/forbidden")
            _ = try await gate.identity.addMember(bob.profile.user.id, as: .member, to: engines)
            for fields in [[bob.cookieField], [bob.bearerField]] {
                let outcome = await gate.admit(.GET, "/", fields, at: door)
                #expect(outcome.identity["x-gatehouse-org"] == engines.description)
                #expect(outcome.identity["x-gatehouse-roles"] == "member")
            }
            let owner = try gate.accounts.principal(ann)
            try await gate.identity.removeMember(bob.profile.user.id, from: engines, by: owner)
            for fields in [[bob.cookieField], [bob.bearerField]] {
                #expect(await gate.admit(.GET, "/", fields, at: door).word == "403 auth/forbidden")
            }
        }
    }

    @Test("CHECKLIST 4: after signing out neither the token nor the cookie opens a door", arguments: [AccessRule.signedIn, .role("owner")])
    func signOut(access: AccessRule) async throws {
        try await DoorFixture.with { gate in
            let ann = try await gate.accounts.register(organisation: "Engines")
            let door = DoorFixture.door(access)
            for fields in [[ann.cookieField], [ann.bearerField]] {
                #expect(await gate.admit(.GET, "/", fields, at: door).word == "somebody")
            }
            try await gate.identity.signOut(try gate.accounts.principal(ann))
            #expect(await gate.admit(.GET, "/", [ann.cookieField], at: door).word == "401 auth/required")
            #expect(await gate.admit(.GET, "/", [ann.bearerField], at: door).word == "401 auth/token-revoked")
        }
    }

    @Test("a database that failed is a 503, never signed out")
    func brokenDatabase() async throws {
        try await DoorFixture.with { gate in
            let ann = try await gate.accounts.register()
            gate.forget()
            await gate.accounts.database.close()
            for access in [AccessRule.optional, .signedIn] {
                #expect(await gate.admit(.GET, "/", [ann.cookieField], at: DoorFixture.door(access)).word == "503 unavailable")
            }
            #expect(await gate.admit(.GET, "/", [ann.cookieField], at: DoorFixture.door(.everyone)).word == "nobody")
        }
    }

    @Test("what is remembered is decided in place")
    func inPlace() async throws {
        try await DoorFixture.with { gate in
            let ann = try await gate.accounts.register()
            let door = DoorFixture.door(.signedIn)
            for fields in [[ann.cookieField], [ann.bearerField]] {
                _ = await gate.admit(.GET, "/", fields, at: door)
                guard case .admitted = gate.doorkeeper.admit(DoorFixture.request(.GET, "/", fields), at: door) else {
                    Issue.record("It was put off.")
                    continue
                }
            }
        }
    }

    @Test(
        "a person is sent to sign in, and comes back; a program is told",
        arguments: [
            (.GET, "/a?b=c&d", ["sec-fetch-mode": "navigate"], "302 /.gatehouse/sign-in?redirect=/a%3Fb%3Dc%26d"),
            (.GET, "/a", ["accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"], "302 /.gatehouse/sign-in?redirect=/a"),
            (.HEAD, "/", ["accept": "text/html"], "302 /.gatehouse/sign-in?redirect=/"),
            (.GET, "//evil.test", ["accept": "text/html"], "302 /.gatehouse/sign-in"),
            (.POST, "/a", ["sec-fetch-mode": "navigate"], "303 /.gatehouse/sign-in?redirect=/"),
            (
                .POST, "/a", ["sec-fetch-mode": "navigate", "referer": "https://app.test/form?1"],
                "303 /.gatehouse/sign-in?redirect=/form%3F1"
            ),
            (
                .POST, "/a", ["sec-fetch-mode": "navigate", "referer": "https://evil.test/form"], "303 /.gatehouse/sign-in?redirect=/"
            ),
            (.GET, "/a", ["sec-fetch-mode": "cors", "accept": "text/html"], required),
            (.GET, "/a", ["accept": "*/*"], required),
            (.GET, "/a", ["accept": "text/html;q=0, application/json"], required),
            (.GET, "/a", ["accept": "text/html", "x-requested-with": "XMLHttpRequest"], required),
            (.GET, "/a", ["accept": "text/html", "authorization": "Bearer x"], required),
            (.PUT, "/a", ["accept": "text/html"], required),
        ] as [(HTTPMethod, String, [String: String], String)])
    func turnsAway(method: HTTPMethod, target: String, headers: [String: String], expected: String) async throws {
        try await DoorFixture.with { gate in
            let outcome = await gate.admit(method, target, headers.map { ($0.key, $0.value) }, at: DoorFixture.door(.signedIn))
            #expect(outcome.word == expected)
            #expect(outcome.header("cache-control") == "no-store")
            #expect((outcome.status == 401) == (outcome.header("www-authenticate") == "Bearer"))
        }
    }

    @Test(
        "whoever sends Authorization is a program, whatever else it says: a token of ours is withheld from the application, not from us",
        arguments: [
            (AccessRule.signedIn, false, "401 auth/token-expired"), (.optional, false, "401 auth/token-expired"),
            (.role("owner"), true, "403 auth/forbidden"),
        ])
    func program(access: AccessRule, isFresh: Bool, expected: String) async throws {
        try await DoorFixture.with { gate in
            let ann = try await gate.accounts.register()
            if !isFresh { gate.accounts.time.advance(by: .seconds(3600)) }
            let outcome = await gate.admit(.GET, "/", [ann.bearerField, ("accept", "text/html")], at: DoorFixture.door(access))
            #expect(outcome.word == expected)
        }
    }

    @Test("a person without the role is shown a page, on which they can become somebody else")
    func forbiddenPage() async throws {
        try await DoorFixture.with { gate in
            let ann = try await gate.accounts.register()
            let outcome = await gate.admit(
                .GET, "/<x>", [ann.cookieField, ("sec-fetch-mode", "navigate")], at: DoorFixture.door(.role("owner")))
            #expect(outcome.word == "403 page")
            #expect(outcome.header("content-type") == "text/html; charset=utf-8")
            #expect(outcome.text.contains("action=\"/.gatehouse/sign-out?redirect=/%3Cx%3E\""))
            #expect(!outcome.text.contains("<x>"))
        }
    }
}
