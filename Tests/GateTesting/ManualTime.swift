package import GateCore
import Synchronization

/// A clock that stands still until it is told to move.
///
/// The wall clock and the monotonic one move together with ``advance(by:)``; ``jumpWallClock(by:)`` moves the first alone, as an
/// administrator or a time server does.
package final class ManualTime: TimeSource {
    private struct Clocks {
        var wall: Timestamp
        var wallNanoseconds: Int64
        var monotonic: UInt64
    }

    private let clocks: Mutex<Clocks>

    /// - Parameters:
    ///   - wall: 2026-11-20T00:00:00Z unless said otherwise.
    ///   - monotonic: nanoseconds since the imagined boot; an hour unless said otherwise.
    package init(wall: Timestamp = Timestamp(seconds: 1_795_132_800), monotonic: UInt64 = 3_600_000_000_000) {
        clocks = Mutex(Clocks(wall: wall, wallNanoseconds: 0, monotonic: monotonic))
    }

    package func now() -> Timestamp { clocks.withLock { $0.wall } }

    package func monotonic() -> MonotonicInstant { clocks.withLock { MonotonicInstant(nanoseconds: $0.monotonic) } }

    /// Lets time pass. The monotonic clock never goes back: a negative duration counts as none.
    package func advance(by duration: Duration) {
        let passed = max(0, duration.wholeNanoseconds)
        clocks.withLock { clocks in
            clocks.monotonic += UInt64(passed)
            let nanoseconds = clocks.wallNanoseconds + passed % 1_000_000
            clocks.wall.milliseconds += passed / 1_000_000 + nanoseconds / 1_000_000
            clocks.wallNanoseconds = nanoseconds % 1_000_000
        }
    }

    /// Moves the wall clock alone, forward or back.
    package func jumpWallClock(by duration: Duration) {
        clocks.withLock { $0.wall = $0.wall + duration }
    }
}
