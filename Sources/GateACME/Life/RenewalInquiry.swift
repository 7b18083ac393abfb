import GateCore

/// When the authority is asked about its renewal window (RFC 9773 §4.3).
struct RenewalInquiry: Sendable {
    /// Where the authority does not say when to ask again.
    static let usual = Duration.seconds(6 * 3600)
    /// What it says is brought between these (RFC 9773 §4.3.2).
    static let bounds = Duration.seconds(60)...Duration.seconds(86_400)

    private(set) var due: MonotonicInstant?
    private var failures = 0

    init() {}
    init(due: MonotonicInstant) { self.due = due }

    mutating func answered(retryAfter: Duration?, at now: MonotonicInstant) {
        failures = 0
        due = now + (retryAfter.map { min(max($0, Self.bounds.lowerBound), Self.bounds.upperBound) } ?? Self.usual)
    }

    /// The authority has no renewal information: perhaps it will.
    mutating func unsupported(at now: MonotonicInstant) {
        failures = 0
        due = now + Self.bounds.upperBound
    }

    /// After 1 min, 10 min, 100 min, then every six hours; never before the authority's `Retry-After`.
    mutating func failed(at now: Moment, retryAfter: Timestamp?) {
        failures += 1
        var delay = failures > 3 ? Self.usual : Backoff.delay(afterFailures: failures, draw: 0)
        if let retryAfter { delay = max(delay, min(retryAfter - now.wall, Self.bounds.upperBound)) }
        due = now.monotonic + delay
    }
}

extension CertificateLife {
    /// - Returns: what there is to tell: a window that is new or has moved.
    mutating func learned(_ info: RenewalInfo?, at now: Moment) -> CertificateEvent? {
        guard let info else {
            inquiry.unsupported(at: now.monotonic)
            schedule?.window = nil
            return nil
        }
        inquiry.answered(retryAfter: info.retryAfter, at: now.monotonic)
        let known = schedule?.window
        schedule?.window = info
        guard known?.start != info.start || known?.end != info.end || known?.explanationURL != info.explanationURL else { return nil }
        return .windowMoved(names: managed.names, start: info.start, end: info.end, explanationURL: info.explanationURL)
    }

    /// A window that is known stays in force.
    mutating func didNotLearn(_ failure: ACMEFailure, at now: Moment) -> CertificateEvent {
        inquiry.failed(at: now, retryAfter: failure.retryAfter)
        return .renewalInfoFailed(
            names: managed.names, reason: failure.sentence, nextInquiry: now.wall(of: inquiry.due ?? now.monotonic))
    }
}
