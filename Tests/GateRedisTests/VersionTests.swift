import GateCore
import GateIdentity
import GateLimits
import GateRedis
import GateTesting
import Testing

/// All other tests run on this Debian's Redis 7.0.
@Suite("Other versions of Redis, and Valkey")
struct VersionTests {
    private func check(_ server: OtherServer, _ body: (LimitStoreContract) async throws -> Void) async throws {
        try await RedisFixture.with(program: try server.program, hasStillClock: true) { fixture in
            try await body(
                LimitStoreContract(
                    make: { RedisLimitStore(try await fixture.client(connections: 1), entropy: SystemEntropy()) },
                    advance: { fixture.server.moveClock(by: $0) }))
        }
    }

    @Test("CHECKLIST 35: never more than n, at the edges of a window and in parallel, on each", arguments: OtherServer.allCases)
    func limits(_ server: OtherServer) async throws {
        try await check(server) { contract in
            try await contract.admitsTheLimitAndNoMore()
            try await contract.holdsAtTheEdgesOfAWindow()
            try await contract.parallelAsksAdmitExactlyTheLimit()
            try await contract.parallelOverlappingQuestionsStayAtomic()
            try await contract.subjectsAndPoliciesAreCountedApart()
            try await contract.agreesWithTheModel(seed: 3, steps: 1000)
        }
    }

    @Test("the rest of the contract, on each", arguments: OtherServer.allCases)
    func contract(_ server: OtherServer) async throws {
        try await check(server) { contract in
            try await contract.waitingExactlyRetryAfterAdmits()
            try await contract.refusalCostsNothing()
            try await contract.oneRefusalChargesNone()
            try await contract.aPairAskedTwiceIsChargedOnce()
            try await contract.stateTellsWhatIsLeft()
            try await contract.aChangedLimitAppliesToWhatWasCounted()
            try await contract.listsWhatIsCounted()
            try await contract.clearsWhatIsSelected()
        }
    }

    @Test("each carries what instances tell each other", arguments: OtherServer.allCases)
    func changes(_ server: OtherServer) async throws {
        try await RedisFixture.with(program: try server.program) { fixture in
            let prefix = fixture.newPrefix()
            let feeds = (
                RedisChangeFeed(try await fixture.client { $0.prefix = prefix }),
                RedisChangeFeed(try await fixture.client { $0.prefix = prefix })
            )
            try await ChangeFeedContract(make: { feeds }).tellsWhatIsPublished()
        }
    }
}
