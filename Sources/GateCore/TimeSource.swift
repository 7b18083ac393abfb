#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Where the time comes from. Everything that needs the time is given one of these; nothing else reads a clock.
package protocol TimeSource: Sendable {
    /// The wall clock. It may jump in either direction; use it for what outlives the process or leaves it.
    func now() -> Timestamp
    /// A clock that never goes back and does not jump; use it for intervals inside the process.
    func monotonic() -> MonotonicInstant
}

/// A moment of the monotonic clock, in nanoseconds since an arbitrary start (the boot of the machine).
package struct MonotonicInstant: Hashable, Comparable, Sendable {
    package var nanoseconds: UInt64

    package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    package static func < (left: MonotonicInstant, right: MonotonicInstant) -> Bool { left.nanoseconds < right.nanoseconds }

    /// The time from `earlier` to this moment; zero if `earlier` is later, 292 years at most.
    package func since(_ earlier: MonotonicInstant) -> Duration {
        .nanoseconds(Int64(clamping: nanoseconds &- min(earlier.nanoseconds, nanoseconds)))
    }

    /// A moment past the clock's end is its end: it never comes.
    package static func + (left: MonotonicInstant, right: Duration) -> MonotonicInstant {
        let (sum, overflow) = left.nanoseconds.addingReportingOverflow(UInt64(max(0, right.wholeNanoseconds)))
        return MonotonicInstant(nanoseconds: overflow ? .max : sum)
    }
}

/// The system's clocks: `CLOCK_REALTIME` and `CLOCK_MONOTONIC`, see clock_gettime(2).
package struct SystemTime: TimeSource {
    package init() {}

    package func now() -> Timestamp {
        let time = read(CLOCK_REALTIME)
        return Timestamp(milliseconds: Int64(time.seconds) * 1000 + Int64(time.nanoseconds) / 1_000_000)
    }

    package func monotonic() -> MonotonicInstant {
        let time = read(CLOCK_MONOTONIC)
        return MonotonicInstant(nanoseconds: UInt64(time.seconds) * 1_000_000_000 + UInt64(time.nanoseconds))
    }

    #if canImport(Glibc)
        /// The time since the machine was booted, in which proc(5) says when processes began.
        package func sinceBoot() -> Duration {
            let time = read(CLOCK_BOOTTIME)
            return .seconds(time.seconds) + .nanoseconds(time.nanoseconds)
        }
    #endif

    /// Reads the two fields of a timespec(3) by their places: compiled as a whole module, Swift 6.3 takes the C structure for one of
    /// its private module SwiftOverlayShims and forbids its members.
    private func read(_ clock: clockid_t) -> (seconds: time_t, nanoseconds: Int) {
        withUnsafeTemporaryAllocation(of: timespec.self, capacity: 1) { time in
            clock_gettime(clock, time.baseAddress!)
            let fields = UnsafeRawBufferPointer(time)
            return (fields.load(as: time_t.self), fields.load(fromByteOffset: MemoryLayout<time_t>.size, as: Int.self))
        }
    }
}
