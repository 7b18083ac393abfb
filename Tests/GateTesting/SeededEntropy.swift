import GateCore
import Synchronization

/// The same bytes for the same seed, on every machine: SplitMix64. For tests only; nothing about it is secret.
package final class SeededEntropy: Entropy {
    private let state: Mutex<SplitMix>

    package init(seed: UInt64 = 1) { state = Mutex(SplitMix(seed: seed)) }

    /// The next 64 bits.
    package func next() -> UInt64 { state.withLock { $0.next() } }

    /// A number from `range`, nearly uniform.
    package func number(in range: ClosedRange<Int>) -> Int {
        let width = UInt64(range.upperBound - range.lowerBound) + 1
        return range.lowerBound + Int(next() % width)
    }

    package func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        state.withLock { state in
            var word: UInt64 = 0
            for index in buffer.indices {
                if index % 8 == 0 { word = state.next() }
                buffer[index] = UInt8(truncatingIfNeeded: word >> UInt64(index % 8 * 8))
            }
        }
    }

}
