#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// An address of IPv4 or IPv6. IPv4 addresses mapped into IPv6 (`::ffff:192.0.2.1`) are the IPv4 address itself.
package struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    package let isIPv4: Bool
    /// The 128 bits of an IPv6 address; an IPv4 address is the lowest 32 of `low`.
    package let high: UInt64
    package let low: UInt64

    package init(ipv4 bits: UInt32) {
        isIPv4 = true
        high = 0
        low = UInt64(bits)
    }

    package init(high: UInt64, low: UInt64) {
        isIPv4 = high == 0 && low >> 32 == 0xFFFF
        self.high = high
        self.low = isIPv4 ? low & 0xFFFF_FFFF : low
    }

    /// Reads the usual spellings, see inet_pton(3); an IPv6 address may stand in brackets. A zone (`%eth0`) is refused.
    package init?(_ text: some StringProtocol) {
        var text = String(text)
        // C reads up to a NUL, whatever follows it.
        guard !text.utf8.contains(0) else { return nil }
        let isBracketed = text.hasPrefix("[") && text.hasSuffix("]")
        if isBracketed { text = String(text.dropFirst().dropLast()) }
        var four = in_addr()
        if !isBracketed, inet_pton(AF_INET, text, &four) == 1 {
            self.init(ipv4: UInt32(bigEndian: four.s_addr))
            return
        }
        var six = in6_addr()
        guard inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        let halves = withUnsafeBytes(of: six) { bytes in
            (
                UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
        self.init(high: halves.0, low: halves.1)
    }

    package var description: String {
        if isIPv4 { return "\(low >> 24 & 255).\(low >> 16 & 255).\(low >> 8 & 255).\(low & 255)" }
        var six = in6_addr()
        withUnsafeMutableBytes(of: &six) { bytes in
            bytes.storeBytes(of: high.bigEndian, as: UInt64.self)
            bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { buffer in
            inet_ntop(AF_INET6, &six, buffer.baseAddress!, socklen_t(buffer.count))
            return String(cString: buffer.baseAddress!)
        }
    }
}

/// A block of addresses in CIDR notation (RFC 4632, RFC 4291 §2.3): `10.0.0.0/8`, `2001:db8::/32`, or a single address.
package struct IPNetwork: Hashable, Sendable, CustomStringConvertible {
    package let base: IPAddress
    /// The number of leading bits that count: up to 32 for IPv4, up to 128 for IPv6.
    package let prefix: Int

    /// The block of `prefix` bits that holds `address`; bits beyond the prefix are cleared.
    package init(_ address: IPAddress, prefix: Int) {
        self.prefix = min(max(prefix, 0), address.isIPv4 ? 32 : 128)
        if address.isIPv4 {
            base = IPAddress(ipv4: UInt32(truncatingIfNeeded: address.low) & UInt32(truncatingIfNeeded: Self.mask(self.prefix + 32)))
        } else {
            base = IPAddress(high: address.high & Self.mask(min(self.prefix, 64)), low: address.low & Self.mask(max(self.prefix - 64, 0)))
        }
    }

    /// `nil` where the text is no network, or has bits set beyond its prefix: `10.0.0.1/8` is more likely a slip than a wish. A
    /// block of mapped addresses (`::ffff:10.0.0.0/104`) is the IPv4 block itself.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(parts[0]) else { return nil }
        let width = address.isIPv4 ? 32 : 128
        guard parts.count == 2 else {
            self.init(address, prefix: width)
            return
        }
        guard parts[1].utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let written = Int(parts[1])
        else { return nil }
        let prefix = address.isIPv4 && parts[0].utf8.contains(UInt8(ascii: ":")) ? written - 96 : written
        guard (0...width).contains(prefix) else { return nil }
        self.init(address, prefix: prefix)
        guard base == address else { return nil }
    }

    package func contains(_ address: IPAddress) -> Bool {
        address.isIPv4 == base.isIPv4 && IPNetwork(address, prefix: prefix).base == base
    }

    /// Whether one of the two holds the other.
    package func overlaps(_ other: IPNetwork) -> Bool { prefix <= other.prefix ? contains(other.base) : other.contains(base) }

    package var description: String { prefix == (base.isIPv4 ? 32 : 128) ? base.description : "\(base)/\(prefix)" }

    /// A word whose `count` leading bits are set.
    private static func mask(_ count: Int) -> UInt64 { count == 0 ? 0 : ~0 << UInt64(64 - count) }
}

extension IPAddress {
    /// What limits count by: an IPv4 address alone, an IPv6 address with its /64, the least that a customer is given.
    package var limitedNetwork: IPNetwork { IPNetwork(self, prefix: isIPv4 ? 32 : 64) }
}
