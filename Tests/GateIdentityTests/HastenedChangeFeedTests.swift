import GateCore
import GateIdentity
import GateTesting
import Testing

@Suite("A feed that vouches, and a faster one beside it")
struct HastenedChangeFeedTests {
    private static let change = ChangeFeedEvent.change(.profile(Sample.id()))
    private static let everything = ChangeFeedEvent.change(.everything)
    private static let began = ChangeFeedEvent.began(MonotonicInstant(nanoseconds: 1))
    private static let current = ChangeFeedEvent.current(asOf: MonotonicInstant(nanoseconds: 2))

    struct Step: Sendable {
        var source: HasteRule.Source
        var event: ChangeFeedEvent
        var isTold: Bool

        init(_ source: HasteRule.Source, _ event: ChangeFeedEvent, _ isTold: Bool) {
            self.source = source
            self.event = event
            self.isTold = isTold
        }
    }

    @Test(
        "only the one that vouches makes memory believed",
        arguments: [
            ("the faster one alone", [Step(.fast, began, false), Step(.fast, current, false), Step(.fast, change, true)]),
            (
                "both",
                [
                    Step(.sure, began, true), Step(.fast, began, false), Step(.fast, current, false), Step(.sure, current, true),
                    Step(.fast, change, true), Step(.sure, change, true), Step(.fast, everything, true), Step(.sure, everything, true),
                ]
            ),
            (
                "the faster one is lost, and comes back",
                [
                    Step(.sure, began, true), Step(.fast, began, false), Step(.fast, .lost, false), Step(.sure, current, true),
                    Step(.fast, began, false), Step(.sure, current, true),
                ]
            ),
            (
                "the sure one is lost, and comes back",
                [
                    Step(.sure, began, true), Step(.fast, began, false), Step(.sure, .lost, true), Step(.fast, current, false),
                    Step(.fast, change, true), Step(.fast, everything, false), Step(.sure, began, true), Step(.fast, everything, true),
                ]
            ),
        ] as [(String, [Step])])
    func rule(_ name: String, _ steps: [Step]) {
        var rule = HasteRule()
        for (number, step) in steps.enumerated() {
            let isTold = rule.passes(step.event, from: step.source)
            #expect(isTold == step.isTold, "\(name), step \(number)")
        }
    }

    /// Two instances on one database. Each hears the sure feed, and the fast one unless it is cut off from it.
    private func withTwo(_ body: (Instance, Instance, ManualTime) async throws -> Void) async throws {
        try await IdentityFixture.with { fixture in
            let (sure, fast) = (ChangeHub(time: fixture.time), ChangeHub(time: fixture.time))
            var instances: [Instance] = []
            for _ in 0..<2 {
                let feeds = (sure: sure.feed(), fast: fast.feed())
                let made = try await fixture.instance(changes: HastenedChangeFeed(feeds.sure, hastenedBy: feeds.fast))
                instances.append(Instance(accounts: made, sure: feeds.sure, fast: feeds.fast))
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for instance in instances {
                    group.addTask { await instance.accounts.identity.followChanges() }
                    await instance.sure.awaitFollower()
                    await instance.fast.awaitFollower()
                    try await instance.caughtUp()
                }
                try await body(instances[0], instances[1], fixture.time)
                group.cancelAll()
            }
        }
    }

    struct Instance: Sendable {
        let accounts: IdentityFixture
        let sure: ChangeHub.Member
        let fast: ChangeHub.Member

        func caughtUp() async throws {
            let end = SystemTime().monotonic() + .seconds(10)
            while !accounts.identity.isMemoryCurrent {
                try #require(SystemTime().monotonic() < end, "memory is not brought up to date")
                await Task.yield()
            }
        }
    }

    @Test("CHECKLIST 4: whoever hears only the faster feed asks the database, for who revokes may be cut off from it")
    func cutOffApart() async throws {
        try await withTwo { one, other, _ in
            let signIn = try await one.accounts.register()
            let principal = try other.accounts.principal(signIn)
            other.sure.cut()
            one.fast.cut(isNoticed: false)
            #expect(!other.accounts.identity.isMemoryCurrent)
            try await one.accounts.identity.signOut(principal)
            other.fast.confirm()
            #expect(!other.accounts.identity.isMemoryCurrent)
            await #expect(throws: IdentityError.tokenRevoked) { try await other.accounts.identity.confirm(principal) }
        }
    }

    @Test("CHECKLIST 4: one that is cut off from the faster feed hears by the other")
    func cutOffFromTheFasterOne() async throws {
        try await withTwo { one, other, time in
            let signIn = try await one.accounts.register()
            let principal = try other.accounts.principal(signIn)
            one.fast.cut()
            try await one.accounts.identity.signOut(principal)
            #expect(other.accounts.identity.isMemoryCurrent)
            #expect(throws: IdentityError.tokenRevoked) { try other.accounts.principal(signIn) }
            // The faster one's word does not stand for the other's.
            time.advance(by: MemoryLease.length)
            other.fast.confirm()
            #expect(!other.accounts.identity.isMemoryCurrent)
            other.sure.confirm()
            #expect(other.accounts.identity.isMemoryCurrent)
        }
    }

    @Test("what the faster feed tells is heeded at once, also while the other is lost")
    func haste() async throws {
        try await withTwo { one, other, _ in
            let signIn = try await one.accounts.register()
            let principal = try other.accounts.principal(signIn)
            other.sure.cut()
            try await one.accounts.identity.signOut(principal)
            #expect(other.accounts.identity.revocations.isRevoked(session: principal.sessionID))
        }
    }
}
