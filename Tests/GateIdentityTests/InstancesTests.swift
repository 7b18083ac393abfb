import GateCore
import GateIdentity
import GateTesting
import Synchronization
import Testing

@Suite("Several instances on one database")
struct InstancesTests {
    /// Two instances that follow each other, both up to date.
    private func withTwo(_ body: (Pair) async throws -> Void) async throws {
        try await IdentityFixture.with { fixture in
            let hub = ChangeHub(time: fixture.time)
            let pair = Pair(
                one: try await fixture.instance(changes: hub.feed()), other: try await fixture.instance(changes: hub.feed()),
                time: fixture.time)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for instance in [pair.one, pair.other] { group.addTask { await instance.identity.followChanges() } }
                await pair.feed(pair.one).awaitFollower()
                await pair.feed(pair.other).awaitFollower()
                try await pair.caughtUp(pair.one)
                try await pair.caughtUp(pair.other)
                try await body(pair)
                group.cancelAll()
            }
        }
    }

    private struct Pair {
        let one: IdentityFixture
        let other: IdentityFixture
        let time: ManualTime

        func feed(_ instance: IdentityFixture) -> ChangeHub.Member { instance.identity.changes as! ChangeHub.Member }

        /// Waits until memory may be believed.
        func caughtUp(_ instance: IdentityFixture) async throws {
            let end = SystemTime().monotonic() + .seconds(10)
            while !instance.identity.isMemoryCurrent {
                try #require(SystemTime().monotonic() < end, "memory is not brought up to date")
                await Task.yield()
            }
        }
    }

    @Test("CHECKLIST 4: a log-out is heeded by the other instance before it is answered")
    func signOut() async throws {
        try await withTwo { pair in
            let signIn = try await pair.one.register()
            let principal = try pair.other.principal(signIn)
            _ = try await pair.other.identity.authenticate(cookie: signIn.cookieToken.text)
            #expect(pair.other.identity.authenticateInPlace(cookie: signIn.cookieToken.text) != nil)
            try await pair.one.identity.signOut(principal)
            #expect(throws: IdentityError.tokenRevoked) { try pair.other.principal(signIn) }
            #expect(pair.other.identity.authenticateInPlace(cookie: signIn.cookieToken.text) == nil)
            await #expect(throws: IdentityError.notAuthenticated) {
                try await pair.other.identity.authenticate(cookie: signIn.cookieToken.text)
            }
        }
    }

    @Test("CHECKLIST 1: a stolen refresh token used at another instance ends the family everywhere")
    func reuse() async throws {
        try await withTwo { pair in
            let signIn = try await pair.one.register()
            let next = try await pair.other.refresh(signIn)
            pair.time.advance(by: .seconds(11))
            for instance in [pair.one, pair.other] { pair.feed(instance).confirm() }
            await #expect(throws: IdentityError.tokenRevoked) { try await pair.one.refresh(signIn) }
            #expect(throws: IdentityError.tokenRevoked) { try pair.other.principal(next) }
        }
    }

    @Test("a changed name is seen by the other instance")
    func profile() async throws {
        try await withTwo { pair in
            let signIn = try await pair.one.register()
            let principal = try pair.one.principal(signIn)
            _ = try await pair.other.identity.profile(of: principal)
            #expect(pair.other.identity.profileInPlace(of: principal) != nil)
            _ = try await pair.one.identity.updateProfile(principal, name: .some("Ada"), avatarURL: nil)
            #expect(pair.other.identity.profileInPlace(of: principal) == nil)
            #expect(try await pair.other.identity.profile(of: principal).user.name == "Ada")
        }
    }

    @Test("CHECKLIST 10: whoever hears nothing for a second asks the database, noticed or not", arguments: [true, false])
    func silence(isNoticed: Bool) async throws {
        try await withTwo { pair in
            let signIn = try await pair.one.register()
            _ = try await pair.other.identity.authenticate(cookie: signIn.cookieToken.text)
            let principal = try pair.other.principal(signIn)
            try await pair.other.identity.confirm(principal)
            pair.feed(pair.other).cut(isNoticed: isNoticed)
            try await pair.one.identity.signOut(principal)
            #expect(pair.other.identity.isMemoryCurrent == !isNoticed)
            pair.time.advance(by: MemoryLease.length)
            #expect(!pair.other.identity.isMemoryCurrent)
            #expect(pair.other.identity.profileInPlace(of: principal) == nil)
            #expect(pair.other.identity.authenticateInPlace(cookie: signIn.cookieToken.text) == nil)
            await #expect(throws: IdentityError.tokenRevoked) { try await pair.other.identity.confirm(principal) }
            await #expect(throws: IdentityError.notAuthenticated) {
                try await pair.other.identity.authenticate(cookie: signIn.cookieToken.text)
            }
            // What was missed is read from the database before memory counts again.
            pair.feed(pair.other).heal()
            try await pair.caughtUp(pair.other)
            #expect(throws: IdentityError.tokenRevoked) { try pair.other.principal(signIn) }
        }
    }

    @Test("what the feed did not take is told when it is there again")
    func publishedLater() async throws {
        try await withTwo { pair in
            let signIn = try await pair.one.register()
            let principal = try pair.other.principal(signIn)
            pair.feed(pair.one).cut()
            try await pair.one.identity.signOut(principal)
            _ = try pair.other.principal(signIn)
            pair.feed(pair.one).heal()
            try await pair.caughtUp(pair.one)
            pair.feed(pair.one).confirm()
            let end = SystemTime().monotonic() + .seconds(10)
            while !pair.other.identity.revocations.isRevoked(session: principal.sessionID) {
                try #require(SystemTime().monotonic() < end, "the other instance is never told")
                await Task.yield()
            }
        }
    }

    @Test("CHECKLIST 47: without feed and database nobody is let in, and nobody is signed out")
    func nothingLeft() async throws {
        try await IdentityFixture.with { fixture in
            let hub = ChangeHub(time: fixture.time)
            let signIn = try await fixture.register()
            let broken = try await fixture.instance(changes: hub.feed(), stores: fixture.database.stores)
            let principal = try broken.principal(signIn)
            #expect(!broken.identity.isMemoryCurrent, "nobody follows yet")
            await fixture.database.close()
            await #expect(throws: StorageError.self) { try await broken.identity.confirm(principal) }
            await #expect(throws: StorageError.self) { try await broken.identity.authenticate(cookie: signIn.cookieToken.text) }
        }
    }

    @Test("an instance alone believes its memory, and never asks the clock for it")
    func alone() async throws {
        try await IdentityFixture.with { fixture in
            fixture.time.advance(by: .seconds(86_400))
            #expect(fixture.identity.isMemoryCurrent)
            await fixture.identity.followChanges()
            #expect(fixture.identity.isMemoryCurrent)
        }
    }
}

@Suite("What a feed carries")
struct IdentityChangeTests {
    static let changes: [IdentityChange] = [
        .revoked(Revocation(subject: .session(Sample.id()), expiresAt: Sample.start)),
        .revoked(Revocation(subject: .token(Sample.id()), expiresAt: Timestamp(milliseconds: -5))), .profile(Sample.id()), .everything,
    ]

    @Test("a change is read as it was written")
    func roundTrip() {
        for change in Self.changes { #expect(IdentityChange(change.text) == change) }
        #expect(IdentityChange.all(in: Self.changes.map(\.text).joined(separator: "\n")) == Self.changes)
    }

    @Test(
        "what cannot be read stands for everything",
        arguments: [
            "", "session", "session x 5", "session 0197a3e2-0000-7000-8000-000000000000", "token 0197a3e2-0000-7000-8000-000000000000 x",
            "session 0197a3e2-0000-7000-8000-000000000000 5 6", "profile", "everything else", "news 7", "session  5",
        ])
    func unknown(text: String) {
        #expect(IdentityChange(text) == nil)
        #expect(
            IdentityChange.all(in: "profile 0197a3e2-0000-7000-8000-000000000000\n" + text + (text.isEmpty ? "x" : "")) == [.everything])
    }

    @Test("of too many changes that wait, all that is told is that there were some")
    func overflow() {
        var outbox = ChangeOutbox()
        let isIdle = !outbox.needsEmptying()
        for _ in 0..<ChangeOutbox.capacity { outbox.add([.profile(Sample.id())]) }
        let asks = (outbox.needsEmptying(), outbox.needsEmptying())
        #expect(isIdle && asks.0 && !asks.1, "one empties it")
        #expect(outbox.changes.count == ChangeOutbox.capacity)
        outbox.add([.profile(Sample.id())])
        let taken = (outbox.takeAll(), outbox.takeAll())
        #expect(taken.0 == [.everything] && taken.1.isEmpty)
    }
}
