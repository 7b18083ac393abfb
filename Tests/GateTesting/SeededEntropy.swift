import GateCore
import Synchronization

/// The same bytes for the same seed, on every machine: SplitMix64. For tests only; nothing about it is secret.
package final class SeededEntropy: Entropy {
    private let state: Mutex<UInt64>

    package init(seed: UInt64 = 1) { state = Mutex(seed) }

    /// The next 64 bits.
    package func next() -> UInt64 { state.withLock { Self.advance(&$0) } }

    /// A number from `range`, nearly uniform.
    package func number(in range: ClosedRange<Int>) -> Int {
        let width = UInt64(range.upperBound - range.lowerBound) + 1
        return range.lowerBound + Int(next() % width)
    }

    package func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        state.withLock { state in
            var word: UInt64 = 0
            for index in buffer.indices {
                if index % 8 == 0 { word = Self.advance(&state) }
                buffer[index] = UInt8(truncatingIfNeeded: word >> UInt64(index % 8 * 8))
            }
        }
    }

    private static func advance(_ state: inout UInt64) -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
