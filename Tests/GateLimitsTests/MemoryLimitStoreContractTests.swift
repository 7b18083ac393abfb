import GateCore
import GateLimits
import GateTesting
import Testing

@Suite("The in-process store keeps the contract")
struct MemoryLimitStoreContractTests {
    /// Each case has a clock of its own.
    private func contract() -> LimitStoreContract {
        let time = ManualTime()
        return LimitStoreContract(
            make: { MemoryLimitStore(time: time) }, advance: { time.advance(by: $0) }, jumpWallClock: { time.jumpWallClock(by: $0) })
    }

    @Test func admitsTheLimitAndNoMore() async throws { try await contract().admitsTheLimitAndNoMore() }

    @Test("CHECKLIST 35: never more than n around the edge of a window")
    func holdsAtTheEdgesOfAWindow() async throws { try await contract().holdsAtTheEdgesOfAWindow() }

    @Test("CHECKLIST 56: whoever waits exactly Retry-After is admitted")
    func waitingExactlyRetryAfterAdmits() async throws { try await contract().waitingExactlyRetryAfterAdmits() }

    @Test func refusalCostsNothing() async throws { try await contract().refusalCostsNothing() }
    @Test func oneRefusalChargesNone() async throws { try await contract().oneRefusalChargesNone() }
    @Test func aPairAskedTwiceIsChargedOnce() async throws { try await contract().aPairAskedTwiceIsChargedOnce() }

    @Test("CHECKLIST 35: subjects and policies are counted apart, IPv6 by /64")
    func subjectsAndPoliciesAreCountedApart() async throws { try await contract().subjectsAndPoliciesAreCountedApart() }

    @Test func stateTellsWhatIsLeft() async throws { try await contract().stateTellsWhatIsLeft() }
    @Test func aChangedLimitAppliesToWhatWasCounted() async throws { try await contract().aChangedLimitAppliesToWhatWasCounted() }

    @Test("CHECKLIST 52: jumps of the wall clock, of a day and of ten years, change nothing")
    func wallClockJumpsChangeNothing() async throws { try await contract().wallClockJumpsChangeNothing() }

    @Test("CHECKLIST 35: never more than n in parallel")
    func parallelAsksAdmitExactlyTheLimit() async throws { try await contract().parallelAsksAdmitExactlyTheLimit() }

    @Test func parallelOverlappingQuestionsStayAtomic() async throws { try await contract().parallelOverlappingQuestionsStayAtomic() }
    @Test func listsWhatIsCounted() async throws { try await contract().listsWhatIsCounted() }
    @Test func clearsWhatIsSelected() async throws { try await contract().clearsWhatIsSelected() }

    @Test("CHECKLIST 35: agrees with a list of all timestamps, step by step", arguments: (1...8).map(UInt64.init))
    func agreesWithTheModel(seed: UInt64) async throws { try await contract().agreesWithTheModel(seed: seed, steps: 4000) }
}
