import GateCore
import GateHTTP

/// How long it waits between two questions, and when it stops asking.
extension OrderFlow {
    /// The first wait, and the longest that it chooses by itself. In between each is half as long again as the one before.
    static var shortestWait: Duration { .milliseconds(500) }
    static var longestWait: Duration { .seconds(15) }
    /// An authority that says `Retry-After: 0` for ever is not asked more often than this after the first few times.
    static var longestFloor: Duration { .seconds(5) }
    /// Requests in a row that may go unanswered, or be answered with a fault of the authority.
    static var maximumTroubles: Int { 5 }

    private static func backoff(_ count: Int) -> Duration {
        var wait = shortestWait
        for _ in 0..<min(count, 16) where wait < longestWait { wait = wait * 3 / 2 }
        return min(wait, longestWait)
    }

    /// Asks how something stands after a while: as long as the authority said (RFC 8555 §7.5.1), or a little longer each time.
    mutating func poll(_ step: Step, _ retryAfter: Duration?, at now: Moment) -> Effect {
        hear(retryAfter)
        let own = Self.backoff(polls)
        polls += 1
        let delay = patience.map { max($0, min(own, Self.longestFloor)) } ?? own
        patience = nil
        return wait(delay, then: step, at: now) { flow in flow.timedOut(retryAfter: delay, at: now) }
    }

    /// Keeps the longest `Retry-After` until the next wait.
    mutating func hear(_ retryAfter: Duration?) {
        guard let retryAfter else { return }
        patience = max(patience ?? .zero, retryAfter)
    }

    /// Tries the step again after a while; fails with `failure` after too many troubles in a row, or where the time limit would pass.
    mutating func tryAgain(_ step: Step, _ retryAfter: Duration?, at now: Moment, orFail failure: ACMEFailure) -> Effect {
        troubles += 1
        guard troubles <= Self.maximumTroubles else { return fail(failure) }
        return wait(max(retryAfter ?? .zero, Self.backoff(troubles)), then: step, at: now) { _ in failure }
    }

    private mutating func wait(_ delay: Duration, then step: Step, at now: Moment, orFail failure: (OrderFlow) -> ACMEFailure) -> Effect {
        let until = now.monotonic + delay
        guard let deadline, until <= deadline else {
            // What failed already is worth more than that others are still open.
            return proofs.contains(where: \.isFailed) ? giveUp(notProven(), at: now) : fail(failure(self))
        }
        state = .waiting(step, until: until)
        return .wait(until: until)
    }
}
