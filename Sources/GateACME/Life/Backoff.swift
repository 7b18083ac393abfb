import GateCore

/// How long to wait after failures in a row (CHECKLIST 37).
enum Backoff {
    /// 1 min, 10 min, 100 min, 1000 min, then a day; and up to a tenth more, by `draw` from 0 up to 1, so that servers which failed
    /// together do not come back together.
    static func delay(afterFailures count: Int, isWorthRetrying: Bool = true, draw: Double) -> Duration {
        guard count > 0 else { return .zero }
        let minutes = count > 4 || !isWorthRetrying ? 1440 : [1, 10, 100, 1000][count - 1]
        return .seconds(minutes * 60) * (1 + draw / 10)
    }

    /// No delay is longer.
    static let longest = Duration.seconds(1584 * 60)

    /// An authority's `Retry-After` is obeyed up to this: the longest limits in use are of a week.
    static let longestBlock = Duration.seconds(31 * 86_400)
}

/// How moments of the monotonic clock outlive the process: written as the wall clock would show them, and read back with bounds, so that
/// a clock which was set in between can neither skip a wait nor make it longer than it was.
extension Moment {
    func wall(of instant: MonotonicInstant) -> Timestamp { wall + instant.since(monotonic) }

    /// Not earlier than now, not later than `longest` from now.
    func instant(of time: Timestamp, longest: Duration) -> MonotonicInstant { monotonic + min(max(.zero, time - wall), longest) }
}
