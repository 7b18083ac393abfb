package import GateCore
package import GateHTTP

/// Why no certificate came, for the operator and for whoever schedules the next attempt.
package struct ACMEFailure: Error, Sendable, CustomStringConvertible {
    package enum Cause: Sendable {
        /// The authority refused: ``problem`` says why in its own words.
        case refused
        /// One name or several could not be proven: ``authorizations`` has each.
        case notProven
        /// No answer of the authority came.
        case unreachable(OutgoingError)
        /// The authority's answer breaks the protocol.
        case unexpectedAnswer
        /// The plan cannot be ordered from this authority as it is: the configuration wants changing.
        case impossiblePlan
        /// The time limit passed while the authority was at work.
        case timedOut
        /// A challenge could not be presented, a record not saved, or a key not used: the fault is on this side.
        case local
        case cancelled
    }

    /// A name that could not be proven.
    package struct Authorization: Hashable, Sendable {
        package let name: String
        package let challenge: ChallengeKind?
        package let problem: ProblemDocument?

        package init(name: String, challenge: ChallengeKind?, problem: ProblemDocument?) {
            self.name = name
            self.challenge = challenge
            self.problem = problem
        }
    }

    package let cause: Cause
    /// The authority's own problem document; the first one where several names failed.
    package let problem: ProblemDocument?
    package let authorizations: [Authorization]
    /// What happened and what to do, in plain words.
    package let sentence: String
    /// `false` where nothing changes until somebody changes something: the next attempt may wait long.
    package let isWorthRetrying: Bool
    /// Whether the authority counts this among failures that it limits.
    package let countsAgainstLimits: Bool
    /// Not to be tried before, by the authority's word.
    package let retryAfter: Timestamp?
    /// Whether the saved order can be resumed; where `false`, it is to be forgotten.
    package internal(set) var keepsOrder: Bool
    /// To be given to the next attempt.
    package internal(set) var challengeMemory: ChallengeMemory

    package init(
        _ cause: Cause, _ sentence: String, problem: ProblemDocument? = nil, authorizations: [Authorization] = [],
        isWorthRetrying: Bool = true, countsAgainstLimits: Bool = false, retryAfter: Timestamp? = nil, keepsOrder: Bool = false,
        challengeMemory: ChallengeMemory = ChallengeMemory()
    ) {
        self.cause = cause
        self.sentence = sentence
        self.problem = problem
        self.authorizations = authorizations
        self.isWorthRetrying = isWorthRetrying
        self.countsAgainstLimits = countsAgainstLimits
        self.retryAfter = retryAfter
        self.keepsOrder = keepsOrder
        self.challengeMemory = challengeMemory
    }

    package var description: String { sentence }
}
