import GateCore

/// A moment of the monotonic clock as the windows count it: in ticks of a millisecond.
struct LimitMoment {
    /// The tick that has begun.
    let tick: UInt64
    /// How far into it, below a million.
    let nanosecondsInTick: UInt64

    init(_ instant: MonotonicInstant) {
        tick = instant.nanoseconds / 1_000_000
        nanosecondsInTick = instant.nanoseconds % 1_000_000
    }

    /// The tick that begins now or next: what an admission is filed under.
    var nextTick: UInt64 { nanosecondsInTick == 0 ? tick : tick + 1 }
}
