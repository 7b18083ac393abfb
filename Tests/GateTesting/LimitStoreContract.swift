import GateCore
package import GateLimits
import Testing

/// What every ``LimitStore`` does, as its doc comment says: run ``run()`` on each implementation.
///
/// All times are multiples of a millisecond, the coarsest clock that a store may have.
package struct LimitStoreContract: Sendable {
    private let make: @Sendable () async throws -> any LimitStore
    private let advance: @Sendable (Duration) async throws -> Void
    private let jumpWallClock: @Sendable (Duration) async throws -> Void

    /// - Parameters:
    ///   - make: an empty store.
    ///   - advance: lets that much time pass for the stores made.
    ///   - jumpWallClock: moves the wall clock alone, where there is one to move.
    package init(
        make: @escaping @Sendable () async throws -> any LimitStore, advance: @escaping @Sendable (Duration) async throws -> Void,
        jumpWallClock: @escaping @Sendable (Duration) async throws -> Void = { _ in }
    ) {
        self.make = make
        self.advance = advance
        self.jumpWallClock = jumpWallClock
    }

    package func run() async throws {
        try await admitsTheLimitAndNoMore()
        try await holdsAtTheEdgesOfAWindow()
        try await waitingExactlyRetryAfterAdmits()
        try await refusalCostsNothing()
        try await oneRefusalChargesNone()
        try await aPairAskedTwiceIsChargedOnce()
        try await subjectsAndPoliciesAreCountedApart()
        try await stateTellsWhatIsLeft()
        try await aChangedLimitAppliesToWhatWasCounted()
        try await wallClockJumpsChangeNothing()
        try await parallelAsksAdmitExactlyTheLimit()
        try await parallelOverlappingQuestionsStayAtomic()
        try await listsWhatIsCounted()
        try await clearsWhatIsSelected()
        for seed in 1...3 { try await agreesWithTheModel(seed: UInt64(seed), steps: 3000) }
    }

    // MARK: The window

    package func admitsTheLimitAndNoMore() async throws {
        let store = try await make()
        let policy = LimitPolicy(name: "exact", limit: 5, window: .seconds(60))
        for remaining in (0..<5).reversed() {
            let decision = try await store.decide([LimitQuestion(policy: policy, subject: Self.network(1))])
            #expect(decision.isAdmitted)
            #expect(decision.tightest.remaining == remaining)
            #expect(decision.retryAfter == nil)
        }
        let refused = try await store.decide([LimitQuestion(policy: policy, subject: Self.network(1))])
        #expect(!refused.isAdmitted)
        #expect(refused.tightest.remaining == 0)
        #expect(refused.retryAfter == .seconds(60))
    }

    /// A counter that starts anew at fixed moments admits twice the limit around them.
    package func holdsAtTheEdgesOfAWindow() async throws {
        let store = try await make()
        let policy = LimitPolicy(name: "edge", limit: 3, window: .seconds(10))
        let question = LimitQuestion(policy: policy, subject: Self.network(1))
        try await advance(.milliseconds(9990))
        for _ in 0..<3 { #expect(try await store.decide([question]).isAdmitted) }
        try await advance(.milliseconds(20))
        #expect(try await !store.decide([question]).isAdmitted)
        try await advance(.milliseconds(9979))
        #expect(try await !store.decide([question]).isAdmitted, "a millisecond too early")
        try await advance(.milliseconds(1))
        for _ in 0..<3 { #expect(try await store.decide([question]).isAdmitted) }
        #expect(try await !store.decide([question]).isAdmitted)
    }

    package func waitingExactlyRetryAfterAdmits() async throws {
        let store = try await make()
        let questions: LimitQuestions = [
            LimitQuestion(policy: LimitPolicy(name: "short", limit: 2, window: .seconds(3)), subject: Self.network(1)),
            LimitQuestion(policy: LimitPolicy(name: "long", limit: 5, window: .seconds(20)), subject: Self.network(1)),
        ]
        for step in 0..<200 {
            let decision = try await store.decide(questions)
            guard let retryAfter = decision.retryAfter else {
                try await advance(.milliseconds(step * 37 % 900))
                continue
            }
            try await advance(retryAfter - .milliseconds(1))
            let early = try await store.decide(questions)
            #expect(!early.isAdmitted, "step \(step): a millisecond before the wait was over")
            #expect(early.retryAfter == .milliseconds(1))
            try await advance(.milliseconds(1))
            #expect(try await store.decide(questions).isAdmitted, "step \(step): after waiting \(retryAfter)")
        }
    }

    // MARK: What is charged

    package func refusalCostsNothing() async throws {
        let store = try await make()
        let question = LimitQuestion(policy: LimitPolicy(name: "free", limit: 2, window: .seconds(10)), subject: Self.network(1))
        for _ in 0..<2 { #expect(try await store.decide([question]).isAdmitted) }
        for _ in 0..<9 {
            try await advance(.seconds(1))
            for _ in 0..<5 { #expect(try await !store.decide([question]).isAdmitted) }
        }
        try await advance(.seconds(1))
        for _ in 0..<2 { #expect(try await store.decide([question]).isAdmitted) }
    }

    package func oneRefusalChargesNone() async throws {
        let store = try await make()
        let wide = LimitPolicy(name: "wide", limit: 10, window: .seconds(60))
        let narrow = LimitPolicy(name: "narrow", limit: 1, window: .seconds(60))
        let both: LimitQuestions = [
            LimitQuestion(policy: wide, subject: Self.network(1)), LimitQuestion(policy: narrow, subject: Self.network(1)),
        ]
        #expect(try await store.decide(both).isAdmitted)
        for _ in 0..<20 {
            let refused = try await store.decide(both)
            #expect(!refused.isAdmitted)
            #expect(refused.tightest.policy.name == "narrow")
            #expect(refused.states.map(\.isAdmitted) == [true, false])
            #expect(refused.states.map(\.remaining) == [9, 0])
        }
        let alone = try await store.decide([LimitQuestion(policy: wide, subject: Self.network(1))])
        #expect(alone.tightest.remaining == 8, "the refused requests took nothing from the wide policy")
    }

    package func aPairAskedTwiceIsChargedOnce() async throws {
        let store = try await make()
        let question = LimitQuestion(policy: LimitPolicy(name: "twice", limit: 2, window: .seconds(60)), subject: Self.network(1))
        #expect(try await store.decide([question, question]).states.map(\.remaining) == [1, 1])
        #expect(try await store.decide([question, question]).isAdmitted)
        #expect(try await !store.decide([question, question]).isAdmitted)
    }

    package func subjectsAndPoliciesAreCountedApart() async throws {
        let store = try await make()
        let network = IPNetwork(IPAddress(ipv4: 0xC000_0201), prefix: 32)
        let subjects: [LimitSubject] = [
            .local, .network(network), .user(high: network.base.high, low: network.base.low), .networkAndAccount(network, account: 0),
            .networkAndAccount(network, account: 1), .network(IPNetwork(network.base, prefix: 24)),
            .network(IPNetwork(IPAddress(high: 0, low: 0xC000_0201), prefix: 32)), .user(high: 1, low: 0), .user(high: 0, low: 1),
            .network(IPNetwork(IPAddress(high: 0x2001_0DB8_0000_0001, low: 7), prefix: 64)),
            .network(IPNetwork(IPAddress(high: 0x2001_0DB8_0000_0002, low: 7), prefix: 64)),
        ]
        for name in ["one", "two"] {
            for subject in subjects {
                let question = LimitQuestion(policy: LimitPolicy(name: name, limit: 1, window: .seconds(60)), subject: subject)
                #expect(try await store.decide([question]).isAdmitted, "\(name) \(subject)")
                #expect(try await !store.decide([question]).isAdmitted, "\(name) \(subject)")
            }
        }
        let neighbour = IPAddress(high: 0x2001_0DB8_0000_0001, low: 0xFFFF_FFFF_FFFF_FFFF).limitedNetwork
        let policy = LimitPolicy(name: "one", limit: 1, window: .seconds(60))
        #expect(try await !store.decide([LimitQuestion(policy: policy, subject: .network(neighbour))]).isAdmitted, "the same /64")
    }

    package func stateTellsWhatIsLeft() async throws {
        let store = try await make()
        let question = LimitQuestion(policy: LimitPolicy(name: "state", limit: 3, window: .seconds(10)), subject: .user(high: 1, low: 2))
        #expect(try await store.decide([question]).tightest.resetAfter == .seconds(10))
        try await advance(.seconds(4))
        #expect(try await store.decide([question]).tightest.resetAfter == .seconds(6), "when the oldest admission leaves")
        try await advance(.seconds(6))
        let later = try await store.decide([question]).tightest
        #expect(later.remaining == 1)
        #expect(later.resetAfter == .seconds(4))
    }

    package func aChangedLimitAppliesToWhatWasCounted() async throws {
        let store = try await make()
        func decide(_ limit: Int, _ seconds: Int = 10) async throws -> LimitDecision {
            let policy = LimitPolicy(name: "reloaded", limit: limit, window: .seconds(seconds))
            return try await store.decide([LimitQuestion(policy: policy, subject: Self.network(1))])
        }
        for _ in 0..<4 {
            #expect(try await decide(4).isAdmitted)
            try await advance(.seconds(1))
        }
        // Admitted at 0, 1, 2, 3; it is 4. With two at most, three have to leave first: the third does at 12.
        let lowered = try await decide(2)
        #expect(!lowered.isAdmitted)
        #expect(lowered.retryAfter == .seconds(8))
        #expect(try await decide(5).isAdmitted)
        #expect(try await !decide(5).isAdmitted)
        #expect(try await decide(3, 2).isAdmitted, "a shorter window holds less")
        #expect(try await decide(0).retryAfter == .seconds(10), "no limit at all: come back a window later")
    }

    package func wallClockJumpsChangeNothing() async throws {
        let store = try await make()
        let question = LimitQuestion(policy: LimitPolicy(name: "jump", limit: 1, window: .seconds(60)), subject: Self.network(1))
        #expect(try await store.decide([question]).isAdmitted)
        for days in [1, -1, 3650, -7300, 3650] {
            try await jumpWallClock(.seconds(days * 86_400))
            #expect(try await store.decide([question]).retryAfter == .seconds(60))
        }
        try await advance(.seconds(60))
        #expect(try await store.decide([question]).isAdmitted)
    }

    // MARK: In parallel

    package func parallelAsksAdmitExactlyTheLimit() async throws {
        let store = try await make()
        let question = LimitQuestion(policy: LimitPolicy(name: "parallel", limit: 1000, window: .seconds(60)), subject: Self.network(1))
        let admitted = try await Self.inParallel(8) { _ in
            var admitted = 0
            for _ in 0..<500 where try await store.decide([question]).isAdmitted { admitted += 1 }
            return admitted
        }
        #expect(admitted.reduce(0, +) == 1000)
    }

    /// Each task asks a policy of its own together with a shared one, in turn in both orders: no deadlock, nothing charged twice.
    package func parallelOverlappingQuestionsStayAtomic() async throws {
        let store = try await make()
        let shared = LimitPolicy(name: "shared", limit: 700, window: .seconds(60))
        let own = LimitPolicy(name: "own", limit: 100_000, window: .seconds(60))
        let admitted = try await Self.inParallel(8) { task in
            var admitted = 0
            for step in 0..<200 {
                let one = LimitQuestion(policy: shared, subject: Self.network(1))
                let other = LimitQuestion(policy: own, subject: .user(high: 0, low: UInt64(task)))
                if try await store.decide(step % 2 == 0 ? [one, other] : [other, one]).isAdmitted { admitted += 1 }
            }
            return admitted
        }
        #expect(admitted.reduce(0, +) == 700)
        for (task, count) in admitted.enumerated() {
            let state = try await store.decide([LimitQuestion(policy: own, subject: .user(high: 0, low: UInt64(task)))]).tightest
            #expect(state.remaining == 100_000 - count - 1, "its own policy was charged for what was admitted, and only for that")
        }
    }

    static func network(_ last: UInt32) -> LimitSubject { .network(IPNetwork(IPAddress(ipv4: 0xC000_0200 | last), prefix: 32)) }

    private static func inParallel(
        _ tasks: Int, _ work: @escaping @Sendable (Int) async throws -> Int
    ) async throws -> [Int] {
        try await withThrowingTaskGroup(of: (Int, Int).self) { group in
            for task in 0..<tasks { group.addTask { (task, try await work(task)) } }
            var results = [Int](repeating: 0, count: tasks)
            for try await (task, result) in group { results[task] = result }
            return results
        }
    }

    func store() async throws -> any LimitStore { try await make() }
    func pass(_ time: Duration) async throws { try await advance(time) }
}
