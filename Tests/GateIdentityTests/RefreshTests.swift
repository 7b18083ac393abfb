import GateCore
import GateIdentity
import GateTesting
import Testing

@Suite("Refreshing a session", .onEachDatabase)
struct RefreshTests {
    @Test("a chain of refreshes goes on, each token once")
    func chain() async throws {
        try await IdentityFixture.with { fixture in
            var signIn = try await fixture.register()
            let cookie = signIn.cookieToken
            for _ in 0..<5 {
                fixture.time.advance(by: .seconds(600))
                let next = try await fixture.refresh(signIn)
                #expect(next.refreshToken != signIn.refreshToken)
                #expect(next.accessToken != signIn.accessToken)
                #expect(next.cookieToken == cookie)
                #expect(next.session.id == signIn.session.id)
                _ = try fixture.principal(next)
                signIn = next
            }
        }
    }

    @Test("CHECKLIST 2: parallel refreshes of one token give one successor, and every caller's works")
    func parallel() async throws {
        try await IdentityFixture.with { fixture in
            let signIn = try await fixture.register()
            let answers = try await withThrowingTaskGroup(of: SignIn.self) { group in
                for _ in 0..<24 { group.addTask { try await fixture.refresh(signIn) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.count == 24)
            for answer in answers {
                #expect(answer.refreshToken == answers[0].refreshToken)
                _ = try fixture.principal(answer)
            }
            fixture.time.advance(by: .seconds(60))
            for answer in answers.prefix(2) { _ = try await fixture.refresh(answer) }
        }
    }

    @Test("CHECKLIST 1: a token used again after the grace time ends the session and its access tokens")
    func reuse() async throws {
        try await IdentityFixture.with { fixture in
            let stolen = try await fixture.register()
            let other = try await fixture.signIn()
            let owner = try await fixture.refresh(stolen)
            fixture.time.advance(by: .seconds(10))
            // Still within it.
            #expect(try await fixture.refresh(stolen).refreshToken == owner.refreshToken)
            fixture.time.advance(by: .milliseconds(1))
            await #expect(throws: IdentityError.tokenRevoked) { try await fixture.refresh(stolen) }
            for signIn in [stolen, owner] {
                #expect(throws: IdentityError.tokenRevoked) { try fixture.principal(signIn) }
                await #expect(throws: IdentityError.notAuthenticated) { try await fixture.refresh(signIn) }
                await #expect(throws: IdentityError.notAuthenticated) {
                    try await fixture.identity.authenticate(cookie: signIn.cookieToken.text)
                }
            }
            // Another session of the same user is another family.
            _ = try fixture.principal(other)
            _ = try await fixture.refresh(other)
        }
    }

    @Test("an older token within its own grace time gets its own successor, not the newest")
    func older() async throws {
        try await IdentityFixture.with { fixture in
            let first = try await fixture.register()
            let second = try await fixture.refresh(first)
            fixture.time.advance(by: .seconds(5))
            let third = try await fixture.refresh(second)
            #expect(try await fixture.refresh(first).refreshToken == second.refreshToken)
            #expect(try await fixture.refresh(second).refreshToken == third.refreshToken)
            fixture.time.advance(by: .seconds(6))
            #expect(try await fixture.refresh(second).refreshToken == third.refreshToken)
            await #expect(throws: IdentityError.tokenRevoked) { try await fixture.refresh(first) }
        }
    }

    @Test("CHECKLIST 3: no rotation moves the session's end, and no access token outlives it")
    func absoluteEnd() async throws {
        var rules = IdentityRules()
        rules.sessionLifetime = .seconds(3600)
        try await IdentityFixture.with(rules: rules) { fixture in
            var signIn = try await fixture.register()
            let end = signIn.session.expiresAt
            for _ in 0..<3 {
                fixture.time.advance(by: .seconds(1100))
                signIn = try await fixture.refresh(signIn)
                #expect(signIn.session.expiresAt == end)
                #expect(try fixture.principal(signIn).expiresAt <= end)
                #expect(signIn.refreshExpiresIn == end - fixture.time.now())
            }
            #expect(signIn.accessExpiresIn == .seconds(300))
            fixture.time.advance(by: .seconds(300))
            await #expect(throws: IdentityError.notAuthenticated) { try await fixture.refresh(signIn) }
            #expect(throws: IdentityError.tokenExpired) { try fixture.principal(signIn) }
        }
    }

    @Test("with the cookie, the session's refresh token is given as it stands, and nothing is used up")
    func byCookie() async throws {
        try await IdentityFixture.with { fixture in
            let signIn = try await fixture.register()
            let principal = try await fixture.identity.authenticate(cookie: signIn.cookieToken.text)
            fixture.time.advance(by: .seconds(60))
            for _ in 0..<2 {
                let renewed = try await fixture.identity.refresh(principal)
                #expect(renewed.refreshToken == signIn.refreshToken)
                #expect(renewed.cookieToken == signIn.cookieToken)
                #expect(try fixture.principal(renewed).expiresAt > fixture.principal(signIn).expiresAt)
            }
            let rotated = try await fixture.refresh(signIn)
            #expect(try await fixture.identity.refresh(principal).refreshToken == rotated.refreshToken)
            try await fixture.identity.signOut(principal)
            await #expect(throws: IdentityError.notAuthenticated) { try await fixture.identity.refresh(principal) }
        }
    }

    @Test("what is no refresh token of ours is refused")
    func junk() async throws {
        try await IdentityFixture.with { fixture in
            let signIn = try await fixture.register()
            let good = signIn.refreshToken.text
            let foreign = SessionTokenIssuer(key: Secret(SeededEntropy(seed: 99).bytes(32)))
            var bad = ["", "grt_", "grt_x", String(good.dropLast()), good + "A", good.uppercased(), "gst_" + good.dropFirst(4)]
            bad += [signIn.cookieToken.text, signIn.accessToken.text, String(repeating: "grt_", count: 5000)]
            bad.append(foreign.refreshToken(for: signIn.session.id, generation: 0).text)
            // A generation that was never given out, signed with the right key: a defect of ours, but no reuse.
            bad.append(fixture.identity.sessionTokens.refreshToken(for: signIn.session.id, generation: 1).text)
            bad.append(fixture.identity.sessionTokens.refreshToken(for: signIn.session.id, generation: -1).text)
            for index in good.indices.dropFirst(4) {
                bad.append(good.replacingCharacter(at: index))
            }
            for token in bad {
                await #expect(throws: IdentityError.notAuthenticated, "\(token)") {
                    try await fixture.identity.refresh(token: Secret(token), device: IdentityFixture.device)
                }
            }
            _ = try await fixture.refresh(signIn)
        }
    }

    @Test("tokens made before the key was rotated go on working, until the old key is taken away")
    func keyRotation() async throws {
        try await IdentityFixture.with { fixture in
            let signIn = try await fixture.register()
            let renewed = Secret(SeededEntropy(seed: 42).bytes(32))
            fixture.identity.sessionTokens.replaceKeys(renewed, previous: fixture.keys)
            _ = try await fixture.identity.authenticate(cookie: signIn.cookieToken.text)
            let next = try await fixture.refresh(signIn)
            #expect(next.cookieToken != signIn.cookieToken)
            // Within the grace time, across the rotation.
            #expect(try await fixture.refresh(signIn).refreshToken == next.refreshToken)
            fixture.identity.sessionTokens.replaceKeys(renewed, previous: [])
            await #expect(throws: IdentityError.notAuthenticated) { try await fixture.refresh(signIn) }
            _ = try await fixture.refresh(next)
            await #expect(throws: IdentityError.notAuthenticated) {
                try await fixture.identity.authenticate(cookie: signIn.cookieToken.text)
            }
        }
    }
}

extension String {
    fileprivate func replacingCharacter(at index: Index) -> String {
        String(self[..<index]) + (self[index] == "A" ? "B" : "A") + self[self.index(after: index)...]
    }
}
