import GateCore
import GateCrypto
import GateIdentity
import GateTesting
import Testing

@Suite("Who a request is made by", .onEachDatabase)
struct AuthenticationTests {
    @Test("token and cookie name the same user and session")
    func both() async throws {
        try await IdentityFixture.with { fixture in
            let signIn = try await fixture.register(organisation: "Engines")
            let bearer = try fixture.principal(signIn)
            #expect(fixture.identity.authenticateInPlace(cookie: signIn.cookieToken.text) == nil)
            let cookie = try await fixture.identity.authenticate(cookie: signIn.cookieToken.text)
            let again = try #require(fixture.identity.authenticateInPlace(cookie: signIn.cookieToken.text))
            #expect(again.expiresAt == cookie.expiresAt && again.email == cookie.email && again.name == cookie.name)
            #expect(bearer.method == .bearer && bearer.tokenID != nil)
            #expect(cookie.method == .cookie && cookie.tokenID == nil)
            for principal in [bearer, cookie, again] {
                #expect(principal.userID == signIn.profile.user.id)
                #expect(principal.sessionID == signIn.session.id)
                #expect(principal.organisationID == signIn.profile.memberships.first?.organisation.id)
                #expect(principal.roles == ["owner"])
            }
        }
    }

    @Test("an expired token says so, a millisecond after it was good, remembered or not", arguments: [false, true])
    func expiry(isRemembered: Bool) async throws {
        try await IdentityFixture.with { fixture in
            let signIn = try await fixture.register()
            if isRemembered { _ = try fixture.principal(signIn) }
            fixture.time.advance(by: .milliseconds(899_999))
            _ = try fixture.principal(signIn)
            fixture.time.advance(by: .milliseconds(1))
            #expect(throws: IdentityError.tokenExpired) { try fixture.principal(signIn) }
        }
    }

    @Test("junk is nobody")
    func junk() async throws {
        try await IdentityFixture.with { fixture in
            let signIn = try await fixture.register()
            let tokens = [
                "", "x", "a.b.c", String(repeating: "A", count: 10_000), signIn.cookieToken.text, signIn.refreshToken.text,
                signIn.accessToken.text + "A", String(signIn.accessToken.text.dropLast()),
            ]
            for token in tokens {
                #expect(throws: IdentityError.notAuthenticated) { try fixture.identity.authenticate(bearer: token) }
            }
            for token in tokens where token != signIn.cookieToken.text {
                #expect(fixture.identity.authenticateInPlace(cookie: token) == nil)
                await #expect(throws: IdentityError.notAuthenticated) { try await fixture.identity.authenticate(cookie: token) }
            }
        }
    }

    @Test("CHECKLIST 4: a log-out kills the session's token, cookie and refresh token at once")
    func signOut() async throws {
        try await IdentityFixture.with { fixture in
            let signIn = try await fixture.register()
            let other = try await fixture.signIn()
            _ = try await fixture.identity.authenticate(cookie: signIn.cookieToken.text)
            try await fixture.identity.signOut(try fixture.principal(signIn))
            #expect(throws: IdentityError.tokenRevoked) { try fixture.principal(signIn) }
            #expect(fixture.identity.authenticateInPlace(cookie: signIn.cookieToken.text) == nil)
            await #expect(throws: IdentityError.notAuthenticated) {
                try await fixture.identity.authenticate(cookie: signIn.cookieToken.text)
            }
            await #expect(throws: IdentityError.notAuthenticated) { try await fixture.refresh(signIn) }
            _ = try fixture.principal(other)
        }
    }

    @Test("CHECKLIST 4: a token whose session is gone already is revoked by itself")
    func signOutWithoutSession() async throws {
        try await IdentityFixture.with { fixture in
            let signIn = try await fixture.register()
            let principal = try fixture.principal(signIn)
            // As in a database restored from before the session: the process does not know of its end.
            _ = try await fixture.identity.sessions.end(.one(signIn.session.id))
            _ = try fixture.principal(signIn)
            try await fixture.identity.signOut(principal)
            #expect(throws: IdentityError.tokenRevoked) { try fixture.principal(signIn) }
            let stored = Set(try await fixture.identity.revocationStore.load().map(\.subject))
            #expect(stored == [.session(signIn.session.id), .token(try #require(principal.tokenID))])
        }
    }

    @Test("CHECKLIST 5: disabling and deleting end everything of the user, and of nobody else", arguments: [true, false])
    func disable(_ isDisabled: Bool) async throws {
        try await IdentityFixture.with { fixture in
            let signIn = try await fixture.register()
            let bystander = try await fixture.register("bob@example.com")
            let id = signIn.profile.user.id
            _ = try await fixture.identity.authenticate(cookie: signIn.cookieToken.text)
            if isDisabled { try await fixture.identity.disableUser(id) } else { try await fixture.identity.deleteUser(id) }
            #expect(throws: IdentityError.tokenRevoked) { try fixture.principal(signIn) }
            #expect(fixture.identity.authenticateInPlace(cookie: signIn.cookieToken.text) == nil)
            await #expect(throws: IdentityError.notAuthenticated) {
                try await fixture.identity.authenticate(cookie: signIn.cookieToken.text)
            }
            await #expect(throws: IdentityError.notAuthenticated) { try await fixture.refresh(signIn) }
            _ = try fixture.principal(bystander)
            _ = try await fixture.identity.authenticate(cookie: bystander.cookieToken.text)
        }
    }

    @Test("CHECKLIST 6: a password change ends the other sessions and keeps this one")
    func changePassword() async throws {
        try await IdentityFixture.with { fixture in
            let here = try await fixture.register()
            let there = try await fixture.signIn()
            let principal = try fixture.principal(here)
            let new = Secret("another fine password")
            await #expect(throws: IdentityError.invalidCredentials) {
                try await fixture.identity.changePassword(principal, current: Secret("wrong horse"), new: new)
            }
            await #expect(
                throws: IdentityError.invalid([
                    FieldFault(field: "new_password", code: "too_short", message: "At least 10 characters are needed.")
                ])
            ) {
                try await fixture.identity.changePassword(principal, current: Secret(IdentityFixture.password), new: Secret("short b"))
            }
            _ = try fixture.principal(there)
            try await fixture.identity.changePassword(principal, current: Secret(IdentityFixture.password), new: new)
            _ = try fixture.principal(here)
            #expect(throws: IdentityError.tokenRevoked) { try fixture.principal(there) }
            await #expect(throws: IdentityError.invalidCredentials) { try await fixture.signIn() }
            _ = try await fixture.signIn(password: new.text)
            // By the operator: every session.
            try await fixture.identity.setPassword(Secret(IdentityFixture.password), of: principal.userID)
            #expect(throws: IdentityError.tokenRevoked) { try fixture.principal(here) }
            _ = try await fixture.signIn()
        }
    }

    @Test("CHECKLIST 10: revocations outlive a restart, until no token could need them")
    func restart() async throws {
        try await IdentityFixture.with { fixture in
            let signIn = try await fixture.register()
            try await fixture.identity.signOut(try fixture.principal(signIn))
            let next = try await fixture.restarted()
            #expect(throws: IdentityError.tokenRevoked) { try next.principal(signIn) }
            #expect(next.identity.revocations.count == 1)
            // The hour's prune before the token ends leaves it.
            next.time.advance(by: .seconds(899))
            #expect(try await next.identity.prune().revocations == 0)
            #expect(throws: IdentityError.tokenRevoked) { try next.principal(signIn) }
            next.time.advance(by: .seconds(62))
            #expect(try await next.identity.prune().revocations == 1)
            #expect(next.identity.revocations.count == 0)
            #expect(throws: IdentityError.tokenExpired) { try next.principal(signIn) }
            await next.identity.passwords.shutdown()
            await next.database.close()
        }
    }

    @Test("a cookie's session is asked for again after a minute at most")
    func cookieCache() async throws {
        try await IdentityFixture.with { fixture in
            let signIn = try await fixture.register()
            let cookie = signIn.cookieToken.text
            _ = try await fixture.identity.authenticate(cookie: cookie)
            // Another process ends it: this one learns of it when it asks.
            _ = try await fixture.database.stores.sessions.end(.one(signIn.session.id))
            fixture.time.advance(by: .milliseconds(59_999))
            #expect(fixture.identity.authenticateInPlace(cookie: cookie) != nil)
            fixture.time.advance(by: .milliseconds(1))
            #expect(fixture.identity.authenticateInPlace(cookie: cookie) == nil)
            await #expect(throws: IdentityError.notAuthenticated) { try await fixture.identity.authenticate(cookie: cookie) }
        }
    }

    @Test("a session used by its cookie is noted as used, now and then")
    func touch() async throws {
        try await IdentityFixture.with { fixture in
            let signIn = try await fixture.register()
            let used = { try await fixture.identity.listSessions(of: signIn.profile.user.id).first?.lastUsedAt }
            fixture.time.advance(by: .seconds(600))
            _ = try await fixture.identity.authenticate(cookie: signIn.cookieToken.text)
            #expect(try await used() == signIn.session.lastUsedAt)
            fixture.time.advance(by: .seconds(61))
            _ = try await fixture.identity.authenticate(cookie: signIn.cookieToken.text)
            #expect(try await used() == fixture.time.now())
        }
    }

    @Test("own sessions are listed and ended, others' are not found")
    func sessions() async throws {
        try await IdentityFixture.with { fixture in
            let first = try await fixture.register()
            let second = try await fixture.signIn()
            let third = try await fixture.signIn()
            let foreign = try await fixture.register("bob@example.com")
            let principal = try fixture.principal(first)
            await #expect(throws: IdentityError.notFound) { try await fixture.identity.endSession(foreign.session.id, by: principal) }
            try await fixture.identity.endSession(second.session.id, by: principal)
            await #expect(throws: IdentityError.notFound) { try await fixture.identity.endSession(second.session.id, by: principal) }
            #expect(throws: IdentityError.tokenRevoked) { try fixture.principal(second) }
            #expect(Set(try await fixture.identity.listSessions(principal).map(\.id)) == [first.session.id, third.session.id])
            #expect(try await fixture.identity.endOtherSessions(principal) == 1)
            #expect(throws: IdentityError.tokenRevoked) { try fixture.principal(third) }
            _ = try fixture.principal(first)
            _ = try fixture.principal(foreign)
            #expect(try await fixture.identity.endSessions(.all(of: principal.userID)) == 1)
            #expect(throws: IdentityError.tokenRevoked) { try fixture.principal(first) }
        }
    }
}
