import GateCore
import GateCrypto
import GateIdentity
import GateTesting
import Testing

@Suite("The wall clock jumps")
struct ClockJumpTests {
    static let jumps: [Duration] = [.seconds(86_400), .seconds(3650 * 86_400)]

    @Test("CHECKLIST 52: forward and back again, sessions live on and nothing revoked comes back", arguments: jumps)
    func forwardAndBack(_ jump: Duration) async throws {
        try await IdentityFixture.with { fixture in
            let alive = try await fixture.register()
            let ended = try await fixture.signIn()
            try await fixture.identity.signOut(try fixture.principal(ended))
            _ = try await fixture.identity.prune()
            fixture.time.jumpWallClock(by: jump)
            #expect(throws: IdentityError.tokenExpired) { try fixture.principal(alive) }
            // The prune that comes round meanwhile does not believe the clock.
            #expect(try await fixture.identity.prune() == PruneReport(wasPutOff: true))
            let next = try await fixture.restarted()
            next.time.jumpWallClock(by: .zero - jump)
            _ = try next.principal(alive)
            #expect(throws: IdentityError.tokenRevoked) { try next.principal(ended) }
            _ = try await next.refresh(alive)
            _ = try await next.identity.authenticate(cookie: alive.cookieToken.text)
            await next.identity.passwords.shutdown()
            await next.database.close()
        }
    }

    @Test("CHECKLIST 52: back, tokens from the future ask for a refresh, which works", arguments: jumps)
    func back(_ jump: Duration) async throws {
        try await IdentityFixture.with { fixture in
            let signIn = try await fixture.register()
            fixture.time.jumpWallClock(by: .zero - jump)
            #expect(throws: IdentityError.tokenExpired) { try fixture.principal(signIn) }
            let next = try await fixture.refresh(signIn)
            _ = try fixture.principal(next)
            _ = try await fixture.identity.authenticate(cookie: signIn.cookieToken.text)
            // And forward again.
            fixture.time.jumpWallClock(by: jump)
            _ = try await fixture.refresh(next)
        }
    }

    @Test("CHECKLIST 52: a user disabled while the clock was ahead stays out when it is set right", arguments: jumps)
    func disabledAhead(_ jump: Duration) async throws {
        try await IdentityFixture.with { fixture in
            let signIn = try await fixture.register()
            fixture.time.jumpWallClock(by: jump)
            try await fixture.identity.disableUser(signIn.profile.user.id)
            fixture.time.jumpWallClock(by: .zero - jump)
            #expect(throws: IdentityError.tokenRevoked) { try fixture.principal(signIn) }
            await #expect(throws: IdentityError.notAuthenticated) { try await fixture.refresh(signIn) }
        }
    }

    @Test("CHECKLIST 52: a clock that stays where it jumped to is believed by the next prune")
    func stays() async throws {
        try await IdentityFixture.with { fixture in
            _ = try await fixture.register()
            _ = try await fixture.identity.prune()
            fixture.time.jumpWallClock(by: .seconds(31 * 86_400))
            #expect(try await fixture.identity.prune().wasPutOff)
            fixture.time.advance(by: .seconds(3600))
            #expect(try await fixture.identity.prune().sessions == 1)
        }
    }

    @Test("pruning deletes what has expired, in batches")
    func prune() async throws {
        try await IdentityFixture.with { fixture in
            let signIn = try await fixture.register()
            for _ in 0..<3 { _ = try await fixture.signIn() }
            _ = try? await fixture.signIn("nobody@example.com")
            fixture.time.advance(by: .seconds(86_401))
            #expect(try await fixture.identity.prune() == PruneReport(loginFailures: 1))
            fixture.time.advance(by: .seconds(29 * 86_400))
            #expect(try await fixture.identity.prune() == PruneReport(sessions: 4))
            #expect(try await fixture.identity.listSessions(of: signIn.profile.user.id).isEmpty)
        }
    }
}
