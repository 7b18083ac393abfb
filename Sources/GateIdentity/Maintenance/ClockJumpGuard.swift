import GateCore
import Synchronization

/// Tells whether the wall clock has gone the way of the monotonic clock since it was asked last.
final class ClockJumpGuard: Sendable {
    private let last = Mutex<(wall: Timestamp, monotonic: MonotonicInstant)?>(nil)

    /// More than a clock is slewed or a leap second takes; less than any lifetime that something is deleted by.
    static let tolerance = Duration.seconds(300)

    /// `false` once after each jump: a time that stays is believed the next time. The first time is believed.
    func isTrusted(_ wall: Timestamp, at monotonic: MonotonicInstant) -> Bool {
        let before = last.withLock { last in
            defer { last = (wall, monotonic) }
            return last
        }
        guard let before else { return true }
        let difference = (wall - before.wall) - monotonic.since(before.monotonic)
        return (.zero - Self.tolerance...Self.tolerance).contains(difference)
    }
}
