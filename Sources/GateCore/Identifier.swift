/// The identity of an `Entity`: a UUID of version 7 (RFC 9562 §5.7), in the database and in JSON as 36 characters of text.
///
/// Ids of one kind made later sort after those made earlier, to the millisecond.
package struct Identifier<Entity>: Hashable, Sendable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    package init(at time: Timestamp, entropy: some Entropy) {
        let first = entropy.uint64()
        high = UInt64(bitPattern: time.milliseconds) << 16 | 0x7000 | first & 0x0FFF
        low = 0x8000_0000_0000_0000 | entropy.uint64() >> 2
    }

    /// Reads the canonical form: 36 characters, lower or upper case, of any version. `nil` for everything else.
    package init?(_ text: some StringProtocol) {
        let contiguous: Optional<(UInt64, UInt64)?> = text.utf8.withContiguousStorageIfAvailable { uuid(of: $0) }
        guard let halves = contiguous ?? Array(text.utf8).withUnsafeBufferPointer({ uuid(of: $0) }) else { return nil }
        self.init(high: halves.0, low: halves.1)
    }

    package var description: String {
        String(unsafeUninitializedCapacity: 36) { buffer in
            var place = 0
            for index in 0..<32 {
                if index == 8 || index == 12 || index == 16 || index == 20 {
                    buffer[place] = UInt8(ascii: "-")
                    place += 1
                }
                let half = index < 16 ? high : low
                buffer[place] = Hex.digit(UInt8(truncatingIfNeeded: half >> UInt64(60 - index % 16 * 4) & 0xF))
                place += 1
            }
            return 36
        }
    }
}

/// Not generic: every row that is read comes through here.
private func uuid(of bytes: UnsafeBufferPointer<UInt8>) -> (UInt64, UInt64)? {
    guard bytes.count == 36 else { return nil }
    var halves: (UInt64, UInt64) = (0, 0)
    var digits = 0
    for index in 0..<36 {
        if index == 8 || index == 13 || index == 18 || index == 23 {
            guard bytes[index] == UInt8(ascii: "-") else { return nil }
            continue
        }
        guard let value = Hex.value(of: bytes[index]) else { return nil }
        if digits < 16 { halves.0 = halves.0 << 4 | UInt64(value) } else { halves.1 = halves.1 << 4 | UInt64(value) }
        digits += 1
    }
    return halves
}
