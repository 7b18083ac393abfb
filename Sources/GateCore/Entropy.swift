#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Where random bytes come from. Everything that needs them is given one of these.
package protocol Entropy: Sendable {
    /// Fills `buffer` with bytes fit for keys and tokens.
    func fill(_ buffer: UnsafeMutableRawBufferPointer)
}

extension Entropy {
    package func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            fill(UnsafeMutableRawBufferPointer(buffer))
            initialized = count
        }
    }

    package func uint64() -> UInt64 {
        var value: UInt64 = 0
        withUnsafeMutableBytes(of: &value) { fill($0) }
        return value
    }
}

/// The kernel's generator, see getentropy(3). Without random numbers nothing here is safe, so a failure ends the process.
package struct SystemEntropy: Entropy {
    package init() {}

    package func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        var rest = buffer[...]
        while !rest.isEmpty {
            // 256 bytes are the most that one call gives.
            let count = min(rest.count, 256)
            guard getentropy(UnsafeMutableRawBufferPointer(rebasing: rest.prefix(count)).baseAddress!, count) == 0 else { abort() }
            rest = rest.dropFirst(count)
        }
    }
}
