import GateCore
import GateLimits
import GateRedis
import GateTesting
import Testing

/// On a redis-server whose clock stands still until the test moves it.
@Suite("The store in Redis keeps the contract")
struct RedisLimitStoreContractTests {
    private func check(_ body: (LimitStoreContract) async throws -> Void) async throws {
        try await RedisFixture.with(hasStillClock: true) { fixture in
            try await body(
                LimitStoreContract(
                    make: { RedisLimitStore(try await fixture.client(connections: 1), entropy: SystemEntropy()) },
                    advance: { fixture.server.moveClock(by: $0) }))
        }
    }

    @Test func admitsTheLimitAndNoMore() async throws { try await check { try await $0.admitsTheLimitAndNoMore() } }

    @Test("CHECKLIST 35: never more than n around the edge of a window, in Redis")
    func holdsAtTheEdgesOfAWindow() async throws { try await check { try await $0.holdsAtTheEdgesOfAWindow() } }

    @Test("CHECKLIST 56: whoever waits exactly Retry-After is admitted by Redis")
    func waitingExactlyRetryAfterAdmits() async throws { try await check { try await $0.waitingExactlyRetryAfterAdmits() } }

    @Test func refusalCostsNothing() async throws { try await check { try await $0.refusalCostsNothing() } }
    @Test func oneRefusalChargesNone() async throws { try await check { try await $0.oneRefusalChargesNone() } }
    @Test func aPairAskedTwiceIsChargedOnce() async throws { try await check { try await $0.aPairAskedTwiceIsChargedOnce() } }

    @Test("CHECKLIST 35: subjects and policies are counted apart in Redis, IPv6 by /64")
    func subjectsAndPoliciesAreCountedApart() async throws { try await check { try await $0.subjectsAndPoliciesAreCountedApart() } }

    @Test func stateTellsWhatIsLeft() async throws { try await check { try await $0.stateTellsWhatIsLeft() } }
    @Test func aChangedLimitAppliesToWhatWasCounted() async throws {
        try await check { try await $0.aChangedLimitAppliesToWhatWasCounted() }
    }

    @Test("CHECKLIST 35: never more than n in parallel, in Redis")
    func parallelAsksAdmitExactlyTheLimit() async throws { try await check { try await $0.parallelAsksAdmitExactlyTheLimit() } }

    @Test func parallelOverlappingQuestionsStayAtomic() async throws {
        try await check { try await $0.parallelOverlappingQuestionsStayAtomic() }
    }

    @Test func listsWhatIsCounted() async throws { try await check { try await $0.listsWhatIsCounted() } }
    @Test func clearsWhatIsSelected() async throws { try await check { try await $0.clearsWhatIsSelected() } }

    @Test("CHECKLIST 35: Redis agrees with a list of all timestamps, step by step", arguments: [1, 2] as [UInt64])
    func agreesWithTheModel(seed: UInt64) async throws { try await check { try await $0.agreesWithTheModel(seed: seed, steps: 2000) } }

    @Test("CHECKLIST 52: a server clock set back by a day makes nobody wait longer than the window")
    func clockSetBack() async throws {
        try await RedisFixture.with(hasStillClock: true) { fixture in
            let store = RedisLimitStore(try await fixture.client(), entropy: SystemEntropy())
            let question = LimitQuestion(policy: LimitPolicy(name: "back", limit: 2, window: .seconds(60)), subject: .local)
            #expect(try await store.decide([question]).isAdmitted)
            fixture.server.moveClock(by: .seconds(10))
            #expect(try await store.decide([question]).isAdmitted)
            fixture.server.moveClock(by: .seconds(-86_400))
            let refused = try await store.decide([question])
            #expect(refused.retryAfter == .seconds(50), "what was counted moves with the clock, and stays as far apart")
            fixture.server.moveClock(by: .seconds(50))
            #expect(try await store.decide([question]).isAdmitted)
            #expect(try await !store.decide([question]).isAdmitted)
        }
    }
}
