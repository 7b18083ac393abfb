import GateAccess
import GateCore
import GateCrypto
import GateHTTP
import GateIdentity
import GateTesting
import NIOHTTP1
import Testing

@Suite("What an application is told")
struct AssertionTests {
    @Test("who it is, in fields and in an assertion that the published keys verify")
    func fields() async throws {
        try await DoorFixture.with { gate in
            let ann = try await gate.accounts.register(organisation: "Engines")
            let user = ann.profile.user
            _ = try await gate.identity.updateProfile(gate.accounts.principal(ann), name: "Ännchen", avatarURL: nil)
            let organisation = try #require(ann.profile.memberships.first).organisation.id
            for fields in [[ann.cookieField], [ann.bearerField]] {
                var identity = await gate.admit(.GET, "/", fields, at: DoorFixture.door(.signedIn)).identity
                let assertion = try #require(identity["x-gatehouse-assertion"])
                identity["x-gatehouse-assertion"] = nil
                #expect(
                    identity == [
                        "x-gatehouse-user": user.id.description, "x-gatehouse-email": "ann@example.com",
                        "x-gatehouse-email-verified": "false",
                        "x-gatehouse-name": "%C3%84nnchen", "x-gatehouse-org": organisation.description, "x-gatehouse-roles": "owner",
                        "x-gatehouse-session": ann.session.id.description,
                    ])
                let claims = try JSON(parsing: gate.assertionKeys.verify(assertion, typ: "gatehouse-assertion+jwt"))
                #expect(claims["iss"]?.string == "http://gate.test" && claims["aud"]?.string == "app.test/")
                #expect(claims["sub"]?.string == user.id.description && claims["sid"]?.string == ann.session.id.description)
                #expect(claims["name"]?.string == "Ännchen" && claims["org"]?.string == organisation.description)
                #expect(claims["roles"]?.array?.map(\.string) == ["owner"])
                let now = gate.accounts.time.now().seconds
                #expect(claims["iat"]?.integer == now && claims["exp"]?.integer == now + 60)
            }
        }
    }

    @Test("who has no organisation and no name is told of without them")
    func bare() async throws {
        try await DoorFixture.with { gate in
            let ann = try await gate.accounts.register()
            let identity = await gate.admit(.GET, "/", [ann.cookieField], at: DoorFixture.door(.signedIn)).identity
            #expect(identity["x-gatehouse-org"] == nil && identity["x-gatehouse-roles"] == nil && identity["x-gatehouse-name"] == nil)
        }
    }

    @Test("an assertion serves for half its life, is made for one site, and never outlives the token")
    func reuse() async throws {
        try await DoorFixture.with { gate in
            let ann = try await gate.accounts.register()
            let one = DoorFixture.door(.signedIn, name: "one")
            let two = DoorFixture.door(.signedIn, name: "two")
            func assertion(at door: Door, _ field: (String, String)) async throws -> String {
                try #require(await gate.admit(.GET, "/", [field], at: door).identity["x-gatehouse-assertion"])
            }
            let first = try await assertion(at: one, ann.cookieField)
            gate.accounts.time.advance(by: .milliseconds(29_999))
            #expect(try await assertion(at: one, ann.cookieField) == first)
            #expect(try await assertion(at: two, ann.cookieField) != first)
            #expect(try await assertion(at: one.named("three"), ann.cookieField) != first)
            gate.accounts.time.advance(by: .milliseconds(1))
            let second = try await assertion(at: one, ann.cookieField)
            #expect(second != first)
            gate.accounts.time.advance(by: .seconds(900 - 30 - 10))
            let last = try await assertion(at: one, ann.bearerField)
            let claims = try JSON(parsing: gate.assertionKeys.verify(last, typ: AssertionIssuer.type))
            #expect(claims["exp"]?.integer == gate.accounts.time.now().seconds + 10)
        }
    }

    @Test(
        "CHECKLIST 52: a clock that is set back a year or forward a day does not leave an assertion of another time in use",
        arguments: [-365, 1])
    func clockJump(days: Int) async throws {
        try await DoorFixture.with { gate in
            let ann = try await gate.accounts.register()
            let door = DoorFixture.door(.signedIn)
            _ = await gate.admit(.GET, "/", [ann.cookieField], at: door)
            gate.accounts.time.jumpWallClock(by: .seconds(days * 86_400))
            let assertion = try #require(await gate.admit(.GET, "/", [ann.cookieField], at: door).identity["x-gatehouse-assertion"])
            let claims = try JSON(parsing: gate.assertionKeys.verify(assertion, typ: AssertionIssuer.type))
            #expect(claims["iat"]?.integer == gate.accounts.time.now().seconds)
        }
    }

    @Test("a changed name, and a role taken away, are told at the next request")
    func changes() async throws {
        try await DoorFixture.with { gate in
            let ann = try await gate.accounts.register("ann@example.com", organisation: "Engines")
            let bob = try await gate.accounts.register("bob@example.com")
            let organisation = try #require(ann.profile.memberships.first).organisation.id
            _ = try await gate.identity.addMember(bob.profile.user.id, as: .admin, to: organisation)
            let door = DoorFixture.door(.signedIn)
            func identity() async -> [String: String] { await gate.admit(.GET, "/", [bob.cookieField], at: door).identity }
            #expect(await identity()["x-gatehouse-roles"] == "admin")
            let owner = try gate.accounts.principal(ann)
            try await gate.identity.changeRole(of: bob.profile.user.id, to: .member, in: organisation, by: owner)
            #expect(await identity()["x-gatehouse-roles"] == "member")
            _ = try await gate.identity.updateProfile(gate.accounts.principal(bob), name: "Bob", avatarURL: nil)
            #expect(await identity()["x-gatehouse-name"] == "Bob")
        }
    }

    @Test("keys that were replaced sign what is made from then on")
    func keys() async throws {
        try await DoorFixture.with { gate in
            let ann = try await gate.accounts.register()
            let door = DoorFixture.door(.signedIn)
            _ = await gate.admit(.GET, "/", [ann.cookieField], at: door)
            let renewed = SigningKeyFixture.make("renewed", .es256, seed: 13)
            gate.doorkeeper.assertions.replaceKeys(SigningKeyRing(current: renewed, previous: [gate.assertionKeys.current]))
            gate.accounts.time.advance(by: .seconds(30))
            let assertion = try #require(await gate.admit(.GET, "/", [ann.cookieField], at: door).identity["x-gatehouse-assertion"])
            #expect(try !SigningKeyRing(current: renewed).verify(assertion, typ: AssertionIssuer.type).isEmpty)
            #expect(gate.doorkeeper.assertions.jwks["keys"]?.array?.map { $0["kid"]?.string } == ["renewed", "assertions"])
        }
    }
}
