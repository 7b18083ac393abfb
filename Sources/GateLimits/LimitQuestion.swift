/// One policy asked about one subject.
package struct LimitQuestion: Sendable {
    package let policy: LimitPolicy
    package let subject: LimitSubject

    package init(policy: LimitPolicy, subject: LimitSubject) {
        self.policy = policy
        self.subject = subject
    }
}

/// Everything that applies to one request, asked together.
package typealias LimitQuestions = InlineList<LimitQuestion>

/// How one policy stands for one subject after a decision.
package struct LimitState: Sendable {
    package let policy: LimitPolicy
    /// How many more would be admitted now.
    package let remaining: Int
    /// Whether this policy admits the request. If one does not, none of those asked was charged.
    package let isAdmitted: Bool
    /// Nanoseconds; see ``resetAfter``.
    package let resetAfterNanoseconds: UInt64

    package init(policy: LimitPolicy, remaining: Int, isAdmitted: Bool, resetAfterNanoseconds: UInt64) {
        self.policy = policy
        self.remaining = remaining
        self.isAdmitted = isAdmitted
        self.resetAfterNanoseconds = resetAfterNanoseconds
    }

    /// When `remaining` next grows: the oldest admission leaves the window. Where nothing remains, that is when the next request
    /// is admitted; where nothing is counted, it is zero.
    ///
    /// A sliding window has no moment at which the whole quota comes back, and the draft lets `t` speak of a part of it. With this
    /// choice a client that waits for `t`, or for `X-RateLimit-Reset`, is admitted, and `Retry-After` is never earlier than `t`.
    package var resetAfter: Duration { .nanoseconds(Int64(clamping: resetAfterNanoseconds)) }
}

/// What became of a request.
package struct LimitDecision: Sendable {
    package let isAdmitted: Bool
    /// One for each question, in their order.
    package let states: InlineList<LimitState>
    private let tightestIndex: Int

    /// - Parameter states: at least one.
    package init(states: InlineList<LimitState>) {
        self.states = states
        var tightest = 0
        for index in 1..<max(1, states.count) where Self.isTighter(states[index], than: states[tightest]) { tightest = index }
        tightestIndex = tightest
        isAdmitted = states[tightest].isAdmitted
    }

    /// What the headers tell of: of those that refuse the one with the longest wait; if none does, the one with the fewest
    /// requests left, and of several such the one that stays so for longest.
    package var tightest: LimitState { states[tightestIndex] }

    /// When refused: a request that comes exactly this much later is admitted by every policy asked, unless others came between.
    package var retryAfter: Duration? { isAdmitted ? nil : tightest.resetAfter }

    private static func isTighter(_ one: LimitState, than other: LimitState) -> Bool {
        if one.isAdmitted != other.isAdmitted { return !one.isAdmitted }
        if one.isAdmitted, one.remaining != other.remaining { return one.remaining < other.remaining }
        return one.resetAfterNanoseconds > other.resetAfterNanoseconds
    }
}
