/// One policy asked about one subject.
package struct LimitQuestion: Sendable {
    package let policy: LimitPolicy
    package let subject: LimitSubject

    package init(policy: LimitPolicy, subject: LimitSubject) {
        self.policy = policy
        self.subject = subject
    }
}

/// Everything that applies to one request, asked together. The first lies in place, as it is most often the only one. Not generic: copying
/// and freeing a list of anything asks for its type's metadata at run time.
package struct LimitQuestions: RandomAccessCollection, ExpressibleByArrayLiteral, Sendable {
    private var leading: LimitQuestion?
    private var others: [LimitQuestion] = []

    package init() {}
    package init(_ only: LimitQuestion) { leading = only }
    package init(arrayLiteral elements: LimitQuestion...) { for element in elements { append(element) } }

    package var startIndex: Int { 0 }
    package var endIndex: Int { leading == nil ? 0 : 1 + others.count }
    package var isEmpty: Bool { leading == nil }
    package subscript(index: Int) -> LimitQuestion { index == 0 ? leading! : others[index - 1] }

    package mutating func append(_ question: LimitQuestion) {
        if leading == nil { leading = question } else { others.append(question) }
    }
}

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
    /// What the headers tell of: of those that refuse the one with the longest wait; if none does, the one with the fewest
    /// requests left, and of several such the one that stays so for longest.
    package let tightest: LimitState
    /// As ``states``; empty where ``tightest`` is the only one, as it is most often.
    let several: [LimitState]

    /// - Parameter only: how the only policy stands that was asked.
    package init(_ only: LimitState) {
        isAdmitted = only.isAdmitted
        tightest = only
        several = []
    }

    /// - Parameter states: one for each question, in their order; at least one.
    package init(states: [LimitState]) {
        tightest = states.dropFirst().reduce(states[0]) { Self.isTighter($1, than: $0) ? $1 : $0 }
        isAdmitted = tightest.isAdmitted
        several = states
    }

    /// One for each question, in their order.
    package var states: [LimitState] { several.isEmpty ? [tightest] : several }

    /// When refused: a request that comes exactly this much later is admitted by every policy asked, unless others came between.
    package var retryAfter: Duration? { isAdmitted ? nil : tightest.resetAfter }

    private static func isTighter(_ one: LimitState, than other: LimitState) -> Bool {
        if one.isAdmitted != other.isAdmitted { return !one.isAdmitted }
        if one.isAdmitted, one.remaining != other.remaining { return one.remaining < other.remaining }
        return one.resetAfterNanoseconds > other.resetAfterNanoseconds
    }
}
