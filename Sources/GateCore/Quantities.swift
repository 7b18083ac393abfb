extension Duration {
    /// Truncated towards zero. What 64 bits do not hold (292 million years) is brought to the nearest that they do.
    package var wholeMilliseconds: Int64 { Int64(clamping: attoseconds / 1_000_000_000_000_000) }
    /// As ``wholeMilliseconds``; 64 bits hold 292 years.
    package var wholeNanoseconds: Int64 { Int64(clamping: attoseconds / 1_000_000_000) }

    /// Whole seconds, rounded up: what `Retry-After` and cookies' `Max-Age` are given in.
    package var secondsRoundedUp: Int64 { components.seconds + (components.attoseconds > 0 ? 1 : 0) }

    private static let units: [(name: String, seconds: Int64)] = [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)]

    /// Reads `500ms`, `30s`, `15m`, `12h`, `30d` or several in falling order (`1h30m`). `nil` for everything else, a bare
    /// number, a sign and overflow among it.
    package init?(text: String) {
        var total: Int64 = 0  // milliseconds
        var number: Int64?
        var smallest = Int64.max
        var rest = Substring(text)
        guard !rest.isEmpty else { return nil }
        while let character = rest.first {
            if let digit = character.wholeNumberValue, character.isASCII {
                let (product, overflow) = (number ?? 0).multipliedReportingOverflow(by: 10)
                let (sum, carried) = product.addingReportingOverflow(Int64(digit))
                guard !overflow, !carried else { return nil }
                number = sum
                rest.removeFirst()
                continue
            }
            let unit: Int64
            if rest.hasPrefix("ms") {
                unit = 1
                rest.removeFirst(2)
            } else if let known = Self.units.first(where: { rest.hasPrefix($0.name) }) {
                unit = known.seconds * 1000
                rest.removeFirst()
            } else {
                return nil
            }
            guard let count = number, unit < smallest else { return nil }
            let (product, overflow) = count.multipliedReportingOverflow(by: unit)
            let (sum, carried) = total.addingReportingOverflow(product)
            // A thousand years: far beyond any use, far from every overflow downstream.
            guard !overflow, !carried, sum <= 365_000 * 86_400_000 else { return nil }
            total = sum
            smallest = unit
            number = nil
        }
        guard number == nil else { return nil }
        self = .milliseconds(total)
    }

    /// The shortest form that ``init(text:)`` reads back: `15m`, `1h30m`, `500ms`.
    package var text: String {
        var rest = wholeMilliseconds
        guard rest > 0 else { return "0s" }
        var text = ""
        for unit in Self.units where rest >= unit.seconds * 1000 {
            text += "\(rest / (unit.seconds * 1000))\(unit.name)"
            rest %= unit.seconds * 1000
        }
        return rest > 0 ? text + "\(rest)ms" : text
    }
}

/// A number of bytes as configuration writes it: `512`, `64KiB`, `1MiB`, `5GiB`, `10MB`.
package struct ByteSize: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var bytes: Int

    package init(bytes: Int) { self.bytes = bytes }

    private static let units: [(name: String, bytes: Int)] = [
        ("TiB", 1 << 40), ("TB", 1_000_000_000_000), ("GiB", 1 << 30), ("GB", 1_000_000_000), ("MiB", 1 << 20), ("MB", 1_000_000),
        ("KiB", 1 << 10), ("kB", 1000), ("B", 1), ("", 1),
    ]

    package init?(text: String) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let count = Int(digits), let unit = Self.units.first(where: { $0.name == text.dropFirst(digits.count) }) else { return nil }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: unit.bytes)
        guard !overflow else { return nil }
        self.bytes = bytes
    }

    package var description: String {
        for unit in Self.units where bytes >= unit.bytes && bytes % unit.bytes == 0 && bytes > 0 {
            return "\(bytes / unit.bytes)\(unit.name)"
        }
        return "\(bytes)B"
    }

    package static func < (left: ByteSize, right: ByteSize) -> Bool { left.bytes < right.bytes }
}
