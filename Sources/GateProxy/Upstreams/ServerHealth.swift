import GateCore

/// Whether one server may be sent requests: by how requests to it end, and by what it says when it is asked. No clock, no socket, no lock.
///
/// So many failures in a row, within a window, suspend the server for as long as the window. Then one request tries it: its success
/// brings the server back, its failure suspends it again at once. Health checks stand beside that: what they find down gets nothing.
struct ServerHealth {
    /// How many failures in a row suspend a server, and for how long. Zero failures: never.
    struct Tolerance: Hashable, Sendable {
        var failures: Int
        var window: Duration
    }

    /// What the operator is told.
    enum Change: Hashable, Sendable {
        case left
        case returned
    }

    enum Standing: Hashable, Sendable {
        case serving
        /// Left out until then; from then on, somebody may try it.
        case suspended(until: MonotonicInstant)
        /// As its health checks say.
        case down
    }

    private enum Record {
        case counting(failures: Int, since: MonotonicInstant)
        case suspended(until: MonotonicInstant)
        /// One request tries it. Where that comes to nothing, the next may from then on.
        case trial(until: MonotonicInstant)
    }

    /// One lost answer is no outage: so many health checks in a row have to fail.
    private static let failedChecksTolerated = 1

    private static let clean = Record.counting(failures: 0, since: MonotonicInstant(nanoseconds: 0))

    private var record = clean
    private var failedChecks = 0

    var standing: Standing {
        if failedChecks > Self.failedChecksTolerated { return .down }
        return switch record {
        case .counting: .serving
        case .suspended(let until), .trial(let until): .suspended(until: until)
        }
    }

    /// Whether nothing is held against it: a success would change nothing.
    var isClean: Bool {
        guard failedChecks <= Self.failedChecksTolerated, case .counting(failures: 0, _) = record else { return false }
        return true
    }

    mutating func failed(at now: MonotonicInstant, _ tolerance: Tolerance) -> Change? {
        switch record {
        case .counting(let failures, let since):
            let isInWindow = failures > 0 && now.since(since) < tolerance.window
            let count = isInWindow ? failures + 1 : 1
            guard tolerance.failures > 0, count >= tolerance.failures else {
                record = .counting(failures: count, since: isInWindow ? since : now)
                return nil
            }
            record = .suspended(until: now + tolerance.window)
            return .left
        case .suspended: return nil
        case .trial:
            record = .suspended(until: now + tolerance.window)
            return nil
        }
    }

    /// The head of a response has come, whatever its status.
    mutating func succeeded() -> Change? {
        defer { record = Self.clean }
        if case .counting = record { return nil }
        return .returned
    }

    /// Whether the caller is the one who tries the server, its suspension being over.
    mutating func beginTrial(at now: MonotonicInstant, _ tolerance: Tolerance) -> Bool {
        guard case .suspended(let until) = standing, until <= now else { return false }
        record = .trial(until: now + tolerance.window)
        return true
    }

    /// Who tried the server gave up before it answered or failed: somebody else may try it at once.
    mutating func withdrawTrial(at now: MonotonicInstant) {
        if case .trial = record { record = .suspended(until: now) }
    }

    /// A health check has been answered as it should, or not.
    mutating func checked(isGood: Bool) -> Change? {
        let wasDown = failedChecks > Self.failedChecksTolerated
        failedChecks = isGood ? 0 : min(failedChecks + 1, Self.failedChecksTolerated + 1)
        guard isGood else { return failedChecks > Self.failedChecksTolerated && !wasDown ? .left : nil }
        // It answers: what failed before counts no longer.
        let change = succeeded()
        return wasDown ? .returned : change
    }
}
