import GateAccess
import GateCore
import GateCrypto
import GateHTTP
import GateIdentity
import GateTesting
import NIOHTTP1
import Synchronization
import Testing

@Suite("What an application sees of a request")
struct DoorCredentialTests {
    @Test(
        "CHECKLIST 29: what a client says under our names is dropped at every door, whoever it is",
        arguments: [AccessRule.everyone, .optional, .signedIn])
    func forgedIdentity(access: AccessRule) async throws {
        try await DoorFixture.with { gate in
            let ann = try await gate.accounts.register()
            let forged = ["X-Gatehouse-User", "x_gatehouse_roles", "X.GATEHOUSE.EMAIL", "x-gatehouse-assertion"].map { ($0, "root") }
            let outcome = await gate.admit(.GET, "/", forged + [("X-Other", "kept"), ann.cookieField], at: DoorFixture.door(access))
            let admitted = try #require(outcome.admitted)
            #expect(admitted.visibleFields.map(\.name) == ["X-Other"])
            #expect(outcome.identity["x-gatehouse-user"] == (access == .everyone ? nil : ann.profile.user.id.description))
            #expect(!outcome.identity.values.contains("root"))
        }
    }

    @Test("the session cookie stays with us, the others go on in one field", arguments: [AccessRule.everyone, .signedIn])
    func cookies(access: AccessRule) async throws {
        try await DoorFixture.with { gate in
            let ann = try await gate.accounts.register()
            let own = ann.cookieField.1
            let table: [(sent: [String], seen: [String])] = [
                ([own], []), (["a=1; \(own); b=2"], ["a=1; b=2"]), (["\(own);a=1"], ["a=1"]), ([own, "a=1", "b=2"], ["a=1; b=2"]),
                ([" \(own) ; ; a"], ["a"]), (["\(own); \(own)"], []), (["x\(own.dropFirst()); \(own)"], ["x\(own.dropFirst())"]),
            ]
            for (sent, seen) in table {
                let outcome = await gate.admit(.GET, "/", sent.map { ("Cookie", $0) }, at: DoorFixture.door(access))
                #expect(outcome.admitted?.visibleFields["cookie"] == seen, "\(sent)")
                #expect((outcome.admitted?.principal != nil) == (access == .signedIn))
            }
        }
    }

    @Test("cookies that are none of ours are left as they are")
    func otherCookies() async throws {
        try await DoorFixture.with { gate in
            for sent in ["a=1;b=2", "gatehouse=x", "__host-gatehouse=x", "a=\"1"] {
                let outcome = await gate.admit(.GET, "/", [("cookie", sent)], at: DoorFixture.door(.everyone))
                #expect(outcome.admitted?.visibleFields["cookie"] == [sent])
            }
        }
    }

    @Test("two different session cookies are none")
    func conflictingCookies() async throws {
        try await DoorFixture.with { gate in
            let ann = try await gate.accounts.register()
            let fields = [ann.cookieField, ("cookie", "__Host-gatehouse=other")]
            #expect(await gate.admit(.GET, "/", fields, at: DoorFixture.door(.signedIn)).word == "401 auth/required")
            #expect(await gate.admit(.GET, "/", fields, at: DoorFixture.door(.optional)).admitted?.visibleFields["cookie"] == [])
        }
    }

    @Test("an access token of ours stays with us, at an open door too; another's is the application's own")
    func authorization() async throws {
        try await DoorFixture.with { gate in
            let ann = try await gate.accounts.register()
            for access in [AccessRule.everyone, .signedIn] {
                let outcome = await gate.admit(.GET, "/", [ann.bearerField], at: DoorFixture.door(access))
                #expect(outcome.admitted?.visibleFields["authorization"] == [])
            }
            for foreign in ["Bearer abc", "Basic YTpi", "bearer a.b.c", "Bearer"] {
                let outcome = await gate.admit(
                    .GET, "/", [("authorization", foreign), ann.cookieField], at: DoorFixture.door(.signedIn))
                #expect(outcome.admitted?.visibleFields["authorization"] == [foreign])
                #expect(outcome.admitted?.principal?.method == .cookie)
            }
            let expired = await gate.admit(
                .GET, "/", [("authorization", "Bearer x"), ("Authorization", ann.bearerField.1)], at: DoorFixture.door(.everyone))
            #expect(expired.word == "400 request/malformed")
        }
    }

    @Test(
        "a token signed with a key that this instance has not heard of is neither passed on nor refused: the database is asked",
        arguments: [AccessRule.everyone, .optional, .signedIn])
    func unheardKey(access: AccessRule) async throws {
        try await IdentityFixture.with { maker in
            let ring = SigningKeyRing(current: SigningKeyFixture.make("key-2", seed: 12), previous: [IdentityFixture.signingKey])
            let isAway = Mutex(true)
            let learner = Mutex<Identity?>(nil)
            // Its feed was never heard: nothing that it remembers may be believed.
            let taker = try await maker.instance(changes: ChangeHub(time: maker.time).feed()) {
                if isAway.withLock({ $0 }) { throw StorageError.unavailable(reason: "away") }
                learner.withLock { $0 }?.accessTokens.replaceKeys(ring)
            }
            learner.withLock { $0 = taker.identity }
            maker.identity.accessTokens.replaceKeys(ring)
            let made = try await maker.register()
            let gate = DoorFixture(taker)
            let door = DoorFixture.door(access)

            // What does not say that it is ours is not asked about.
            let others = SigningKeyRing(current: SigningKeyFixture.make("key-2", seed: 99))
            let foreign = try others.sign(payload: Array(#"{"iss":"http://other.test"}"#.utf8), typ: AccessTokenIssuer.type)
            for token in ["abc", foreign] {
                let outcome = await gate.admit(.GET, "/", [("authorization", "Bearer \(token)")], at: door)
                #expect(outcome.word == (access == .signedIn ? "401 auth/required" : "nobody"))
                if let admitted = outcome.admitted { #expect(admitted.visibleFields["authorization"] == ["Bearer \(token)"]) }
            }

            #expect(await gate.admit(.GET, "/", [made.bearerField], at: door).word == "503 unavailable")
            isAway.withLock { $0 = false }
            let known = try #require(await gate.admit(.GET, "/", [made.bearerField], at: door).admitted)
            #expect(known.visibleFields["authorization"] == [])
            #expect(known.principal?.userID == (access == .everyone ? nil : made.profile.user.id))

            // Nobody's key, as the database says: the application's own business.
            let forged = try others.sign(payload: Array(#"{"iss":"http://gate.test"}"#.utf8), typ: AccessTokenIssuer.type)
            let outcome = await gate.admit(.GET, "/", [("authorization", "Bearer \(forged)")], at: door)
            #expect(outcome.word == (access == .signedIn ? "401 auth/required" : "nobody"))
            if let admitted = outcome.admitted { #expect(admitted.visibleFields["authorization"] == ["Bearer \(forged)"]) }
        }
    }

    @Test("an assertion is no access token")
    func assertionAsToken() async throws {
        try await DoorFixture.with { gate in
            let ann = try await gate.accounts.register()
            let door = DoorFixture.door(.signedIn)
            let assertion = try #require(await gate.admit(.GET, "/", [ann.cookieField], at: door).identity["x-gatehouse-assertion"])
            #expect(await gate.admit(.GET, "/", [("authorization", "Bearer \(assertion)")], at: door).word == "401 auth/required")
        }
    }
}
