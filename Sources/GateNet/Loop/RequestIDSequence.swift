import GateCore
import GateHTTP

/// Ids for the requests of one event loop, without a lock.
///
/// A counter of its own for each loop, from a start that the process drew by lot, goes through the finaliser of SplitMix64 (Steele,
/// Lea, Flood 2014), which is a bijection: no two ids of one process are equal, and they look unrelated.
struct RequestIDSequence {
    private var counter: UInt64

    /// `start` is the same for all loops of the process; each loop has 2^48 ids before it would meet its neighbour's.
    init(start: UInt64, loop: Int) { counter = start &+ UInt64(loop) << 48 }

    mutating func next() -> RequestID {
        counter &+= 1
        var mixed = counter
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return RequestID(value: mixed ^ mixed >> 31)
    }
}
