import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Numbers that many threads add to without waiting for each other: each has its own copy, on its own cache lines, as long as there
/// are no more than ``stripes`` of them. Reading adds the copies up.
package final class AtomicCells: @unchecked Sendable {
    // The pointer is not changed after `init`; what it points to is only touched through atomics.
    private let cells: UnsafeMutablePointer<Atomic<UInt64>>
    private let count: Int
    private let stride: Int

    private static let stripes = 16
    /// Words of a cache line.
    private static let line = 8

    package init(_ count: Int) {
        self.count = count
        stride = (count + Self.line - 1) / Self.line * Self.line
        let size = stride * Self.stripes * MemoryLayout<Atomic<UInt64>>.stride
        cells = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64).bindMemory(
            to: Atomic<UInt64>.self, capacity: stride * Self.stripes)
        for index in 0..<stride * Self.stripes { (cells + index).initialize(to: Atomic(0)) }
    }

    deinit { UnsafeMutableRawPointer(cells).deallocate() }

    /// - Returns: what the calling thread's copy holds now.
    @discardableResult
    package func add(_ value: UInt64, to cell: Int, stripe: Stripe = .current) -> UInt64 {
        cells[stripe.index * stride + cell].wrappingAdd(value, ordering: .relaxed).newValue
    }

    package func total(_ cell: Int) -> UInt64 {
        (0..<Self.stripes).reduce(0) { $0 &+ cells[$1 * stride + cell].load(ordering: .relaxed) }
    }

    /// The copy of the calling thread.
    package struct Stripe {
        package let index: Int

        package static var current: Stripe {
            // Thread handles are addresses far apart; the multiplication spreads them (Fibonacci hashing).
            Stripe(index: Int((UInt64(UInt(pthread_self())) &* 0x9E37_79B9_7F4A_7C15) >> 60))
        }
    }
}
