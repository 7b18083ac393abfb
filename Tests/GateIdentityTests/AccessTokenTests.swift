import GateCore
import GateCrypto
import GateIdentity
import GateTesting
import Testing

@Suite("Access tokens")
struct AccessTokenTests {
    private static let key = IdentityFixture.signingKey
    private static let now = Sample.start
    private let issuer = AccessTokenIssuer(issuer: "http://gate.test", audience: "api", keys: SigningKeyRing(current: key))

    private static func claims(_ changes: [String: JSON?] = [:]) -> JSON {
        var members: [JSON.Member] = [
            .init("iss", "http://gate.test"), .init("aud", "api"), .init("sub", .string(Sample.id(User.self).description)),
            .init("sid", .string(Sample.id(Session.self).description)), .init("jti", .string(Sample.id(AccessToken.self).description)),
            .init("iat", .integer(now.seconds)), .init("exp", .integer(now.seconds + 900)), .init("email", "ann@example.com"),
            .init("email_verified", true), .init("roles", ["owner"]),
        ]
        for (name, value) in changes {
            members.removeAll { $0.name == name }
            if let value { members.append(.init(name, value)) }
        }
        return .object(members)
    }

    private func verify(_ claims: JSON, typ: String = "at+jwt", key: SigningKey = key, at now: Timestamp = now) throws -> AccessToken {
        try self.claims(of: try SigningKeyRing(current: key).sign(payload: claims.bytes, typ: typ), by: issuer, at: now)
    }

    private func claims(of token: String, by issuer: AccessTokenIssuer, at now: Timestamp = now) throws -> AccessToken {
        try issuer.verify(token.utf8.span, at: now).claims
    }

    @Test("a token says what it was issued for", arguments: SigningAlgorithm.allCases)
    func roundTrip(_ algorithm: SigningAlgorithm) throws {
        let ring = SigningKeyRing(current: SigningKeyFixture.make("k", algorithm, seed: 3))
        let issuer = AccessTokenIssuer(issuer: "http://gate.test", audience: "api", keys: ring)
        let user = Sample.user()
        let organisation = Sample.organisation()
        let profile = UserProfile(user: user, memberships: [Membership(organisation: organisation, role: .admin)])
        let issued = try issuer.issue(
            for: profile, session: Sample.session(of: user.id), lifetime: .seconds(900), at: Self.now + .milliseconds(700),
            entropy: SeededEntropy())
        let verified = try claims(of: issued.token.text, by: issuer, at: Self.now + .seconds(1))
        #expect(verified == issued.claims)
        #expect(verified.roles == ["admin"] && verified.organisationID == organisation.id && verified.userID == user.id)
        #expect((ring.jwks["keys"]?.array?.count == 1) == (algorithm != .hs256))
    }

    @Test("since a restore, a token that was issued before it is refused, however good its signature is")
    func restored() throws {
        let restored = AccessTokenIssuer(
            issuer: "http://gate.test", audience: "api", keys: SigningKeyRing(current: Self.key), validFrom: Self.now)
        func token(_ issuedAt: Int64) throws -> String {
            try SigningKeyRing(current: Self.key).sign(payload: Self.claims(["iat": .integer(issuedAt)]).bytes, typ: "at+jwt")
        }
        #expect(throws: IdentityError.tokenRevoked) { try claims(of: try token(Self.now.seconds - 1), by: restored) }
        #expect(try claims(of: try token(Self.now.seconds), by: restored).roles == ["owner"])
    }

    @Test("CHECKLIST 8: a good token passes, and so do the claims by themselves")
    func good() throws {
        #expect(try verify(Self.claims()).roles == ["owner"])
    }

    @Test(
        "CHECKLIST 8: another issuer, audience or type, a missing claim, and times beyond sense are refused",
        arguments: [
            ["iss": "http://evil.test"], ["iss": nil], ["aud": "other"], ["aud": nil], ["sub": nil], ["sub": "x"], ["sid": nil],
            ["jti": nil], ["jti": 7], ["iat": nil], ["exp": nil], ["exp": "tomorrow"], ["exp": .number(1e300)],
            ["exp": .integer(.max)], ["exp": -1], ["iat": .integer(.min)], ["iat": .integer(Sample.start.seconds + 901)],
            ["nbf": .integer(.max)], ["nbf": "now"], ["email": "nobody"], ["email_verified": "true"], ["roles": nil], ["roles": [7]],
            ["org": "x"],
        ] as [[String: JSON?]])
    func refused(_ changes: [String: JSON?]) {
        #expect(throws: IdentityError.notAuthenticated) { try verify(Self.claims(changes)) }
    }

    @Test("CHECKLIST 8: types do not cross", arguments: ["JWT", "jwt", "refresh+jwt", "assertion+jwt", ""])
    func types(_ typ: String) {
        #expect(throws: IdentityError.notAuthenticated) { try verify(Self.claims(), typ: typ) }
    }

    @Test("CHECKLIST 7: a key of another owner, or of the same name, does not count")
    func keys() {
        #expect(throws: IdentityError.notAuthenticated) { try verify(Self.claims(), key: SigningKeyFixture.make("key-1", seed: 12)) }
        #expect(throws: IdentityError.notAuthenticated) { try verify(Self.claims(), key: SigningKeyFixture.make("key-2", seed: 11)) }
    }

    @Test("CHECKLIST 7: no algorithm but the key's: none, and HS256 with a public key, are refused")
    func algorithms() throws {
        let pair = SigningKeyFixture.make("k", .edDSA, seed: 3)
        let issuer = AccessTokenIssuer(issuer: "http://gate.test", audience: "api", keys: SigningKeyRing(current: pair))
        let published = try #require(pair.publicJWK?["x"]?.string.flatMap { Base64URL.decode($0.utf8) })
        let forged = try SigningKey(id: "k", algorithm: .hs256, material: Secret(published))
        let token = try SigningKeyRing(current: forged).sign(payload: Self.claims().bytes, typ: "at+jwt")
        #expect(throws: IdentityError.notAuthenticated) { try claims(of: token, by: issuer) }
        let none = Base64URL.encode(#"{"alg":"none","kid":"k","typ":"at+jwt"}"#.utf8) + "." + Base64URL.encode(Self.claims().bytes) + "."
        #expect(throws: IdentityError.notAuthenticated) { try claims(of: none, by: issuer) }
    }

    @Test("CHECKLIST 8: a lagging clock has half a minute of leeway, a moved one none, and expiry has none at all")
    func leeway() throws {
        let token = Self.claims()
        _ = try verify(token, at: Self.now - .seconds(30))
        #expect(throws: IdentityError.tokenExpired) { try verify(token, at: Self.now - .milliseconds(30_001)) }
        _ = try verify(token, at: Self.now + .milliseconds(899_999))
        #expect(throws: IdentityError.tokenExpired) { try verify(token, at: Self.now + .seconds(900)) }
        let later = Self.claims(["nbf": .integer(Self.now.seconds + 100)])
        #expect(throws: IdentityError.tokenExpired) { try verify(later, at: Self.now + .seconds(69)) }
        _ = try verify(later, at: Self.now + .seconds(70))
        #expect(
            AccessTokenIssuer(issuer: "", audience: "", keys: SigningKeyRing(current: Self.key), leeway: .seconds(999)).leeway
                == .seconds(60))
    }

    @Test("a key that is taken away takes its remembered tokens with it")
    func rotation() throws {
        let token = try SigningKeyRing(current: Self.key).sign(payload: Self.claims().bytes, typ: "at+jwt")
        _ = try claims(of: token, by: issuer)
        #expect(issuer.rememberedTokens == 1)
        let next = SigningKeyFixture.make("key-2", seed: 12)
        issuer.replaceKeys(SigningKeyRing(current: next, previous: [Self.key]))
        _ = try claims(of: token, by: issuer)
        issuer.replaceKeys(SigningKeyRing(current: next))
        #expect(throws: IdentityError.notAuthenticated) { try claims(of: token, by: issuer) }
    }

    @Test("what is remembered is bounded, and a changed byte anywhere is another token")
    func bounded() throws {
        let issuer = AccessTokenIssuer(
            issuer: "http://gate.test", audience: "api", keys: SigningKeyRing(current: Self.key), rememberedTokens: 256)
        let ring = SigningKeyRing(current: Self.key)
        let token = try ring.sign(payload: Self.claims().bytes, typ: "at+jwt")
        for _ in 0..<1000 {
            _ = try claims(of: try ring.sign(payload: Self.claims().bytes, typ: "at+jwt"), by: issuer)
        }
        #expect(issuer.rememberedTokens <= 256)
        _ = try claims(of: token, by: issuer)
        for index in token.indices where token[index] != "." {
            var forged = Array(token)
            let place = token.distance(from: token.startIndex, to: index)
            forged[place] = forged[place] == "A" ? "Q" : "A"
            #expect(throws: IdentityError.notAuthenticated) { try claims(of: String(forged), by: issuer) }
        }
    }
}
