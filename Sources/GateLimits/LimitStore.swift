package import GateCore

/// Where admissions are counted: a port. The in-process store is ``MemoryLimitStore``.
///
/// What every store does, and `LimitStoreContract` proves:
/// - In any stretch of time as long as a policy's window, at most its limit are admitted for one subject, also when many ask at
///   once. A store may be later than a window's very end in admitting again, by a millisecond and the rounding of its clock, and
///   then says so in `retryAfter`; it is never earlier.
/// - Questions asked together are decided together: all are charged one admission, or, where one refuses, none is. A refused
///   request costs nothing, however often it is repeated. A pair of policy and subject that occurs twice is charged once.
/// - Time is the store's own monotonic clock: a jump of the wall clock changes nothing.
/// - A store that cannot hold what it is asked to may forget a subject, the least used first. It never refuses for that reason.
package protocol LimitStore: Sendable {
    /// Decides and charges without waiting, or `nil` where the store needs input and output for it: then ask ``decide(_:)``.
    ///
    /// - Precondition: there is at least one question. What is not limited is not asked about.
    func decideInPlace(_ questions: LimitQuestions) -> LimitDecision?

    /// Decides and charges.
    ///
    /// - Precondition: there is at least one question.
    /// - Throws: `StorageError.unavailable` where the store cannot be reached: nothing is known to be charged then.
    func decide(_ questions: LimitQuestions) async throws -> LimitDecision

    /// What is counted at the moment, the most used share of a limit first.
    ///
    /// - Parameters:
    ///   - policy: the name of the only policy to list; `nil` for all.
    ///   - limit: the most entries that are wanted.
    func list(policy: String?, limit: Int) async throws -> [LimitUsage]

    /// Forgets what has been counted, so that the subjects start afresh.
    ///
    /// - Returns: the number of pairs of policy and subject forgotten; zero where none was counted.
    func clear(_ selection: LimitSelection) async throws -> Int
}

/// What one subject has used of one policy.
package struct LimitUsage: Hashable, Sendable {
    package let policy: LimitPolicy
    package let subject: LimitSubject
    /// Admissions inside the window; at least one.
    package let used: Int
    /// When the oldest of them leaves the window.
    package let resetAfter: Duration

    package init(policy: LimitPolicy, subject: LimitSubject, used: Int, resetAfter: Duration) {
        self.policy = policy
        self.subject = subject
        self.used = used
        self.resetAfter = resetAfter
    }
}

/// What ``LimitStore/clear(_:)`` forgets.
package enum LimitSelection: Hashable, Sendable {
    case all
    /// One policy, by name, for every subject.
    case policy(String)
    /// Every subject whose network lies inside this one or holds it, whether counted alone or with an account.
    case network(IPNetwork)
    case user(high: UInt64, low: UInt64)
    /// One account, from every network, by the hash that ``LimitSubject/networkAndAccount(_:account:)`` holds.
    case account(UInt64)
}
