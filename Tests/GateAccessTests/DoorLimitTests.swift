import GateAccess
import GateHTTP
import GateIdentity
import GateLimits
import GateTesting
import NIOHTTP1
import Testing

@Suite("Limits at the door")
struct DoorLimitTests {
    private static func policy(_ name: String, _ limit: Int, _ key: RoutePolicy.Key) -> RoutePolicy {
        RoutePolicy(LimitPolicy(name: name, limit: limit, window: .seconds(60)), key: key)
    }

    @Test("counted together is what the policy's key says", arguments: RoutePolicy.Key.allCases)
    func keys(key: RoutePolicy.Key) async throws {
        try await DoorFixture.with { gate in
            let door = DoorFixture.door(.optional, [Self.policy("site", 1, key)])
            let ann = try await gate.accounts.register("ann@example.com")
            let annElsewhere = try await gate.accounts.signIn("ann@example.com")
            let bob = try await gate.accounts.register("bob@example.com")
            func isAdmitted(_ fields: [(String, String)], from address: String) async -> Bool {
                await gate.admit(DoorFixture.request(.GET, "/", fields, from: address), at: door).admitted != nil
            }
            #expect(await isAdmitted([ann.cookieField], from: "192.0.2.1"))
            // Another address, another session, another user, nobody.
            #expect(await isAdmitted([ann.cookieField], from: "192.0.2.2") == (key == .network))
            #expect(await isAdmitted([annElsewhere.cookieField], from: "192.0.2.1") == (key == .session))
            #expect(await isAdmitted([bob.cookieField], from: "192.0.2.1") == (key != .network))
            #expect(await isAdmitted([], from: "192.0.2.1") == (key != .network))
            #expect(await !isAdmitted([], from: "192.0.2.1"))
        }
    }

    @Test("whoever is turned away has been counted, and is told how they stand")
    func turnedAway() async throws {
        try await DoorFixture.with { gate in
            let door = DoorFixture.door(.signedIn, [Self.policy("site", 2, .user)])
            for remaining in ["1", "0"] {
                let outcome = await gate.admit(at: door)
                #expect(outcome.word == "401 auth/required")
                #expect(outcome.header("x-ratelimit-remaining") == remaining)
            }
            let outcome = await gate.admit(at: door)
            #expect(outcome.word == "429 rate-limit/exceeded")
            #expect(outcome.header("retry-after") == "60")
            #expect(outcome.header("ratelimit-policy") == "\"site\";q=2;w=60")
        }
    }

    @Test("of several policies all are asked together, and what is admitted carries their fields")
    func several() async throws {
        try await DoorFixture.with { gate in
            let door = DoorFixture.door(.everyone, [Self.policy("wide", 10, .network), Self.policy("narrow", 1, .network)])
            let first = await gate.admit(at: door)
            #expect(first.word == "nobody")
            #expect(first.header("ratelimit-policy") == "\"wide\";q=10;w=60, \"narrow\";q=1;w=60")
            #expect(first.header("x-ratelimit-limit") == "1")
            for _ in 0..<20 { #expect(await gate.admit(at: door).word == "429 rate-limit/exceeded") }
            // The wide one was not charged for what the narrow one refused.
            gate.accounts.time.advance(by: .seconds(61))
            #expect(await gate.admit(at: door).word == "nobody")
        }
    }

    @Test("a door without policies counts nothing and tells nothing")
    func none() async throws {
        try await DoorFixture.with { gate in
            let outcome = await gate.admit(at: DoorFixture.door(.everyone))
            #expect(outcome.admitted?.responseFields.count == 0)
        }
    }
}
