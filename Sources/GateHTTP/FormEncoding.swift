import GateCore

/// `application/x-www-form-urlencoded` (URL Standard §5).
package enum FormEncoding {
    /// One name or value: `+` is a space, `%hh` a byte. `nil` where a `%` has no two digits after it, or the bytes are not UTF-8.
    package static func decode(_ text: some StringProtocol) -> String? {
        decode(text.utf8)
    }

    package static func decode(_ bytes: some Sequence<UInt8>) -> String? {
        var decoded: [UInt8] = []
        var iterator = bytes.makeIterator()
        while let byte = iterator.next() {
            switch byte {
            case UInt8(ascii: "+"): decoded.append(0x20)
            case UInt8(ascii: "%"):
                guard let first = iterator.next().flatMap(Hex.value), let second = iterator.next().flatMap(Hex.value) else { return nil }
                decoded.append(first << 4 | second)
            default: decoded.append(byte)
            }
        }
        return String(validating: decoded, as: UTF8.self)
    }

    /// The pairs in their order. `nil` where one cannot be decoded.
    package static func pairs(_ bytes: some Collection<UInt8>) -> [(name: String, value: String)]? {
        var pairs: [(name: String, value: String)] = []
        for pair in bytes.split(separator: UInt8(ascii: "&")) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decode(parts[0]), let value = parts.count == 2 ? decode(parts[1]) : "" else { return nil }
            pairs.append((name, value))
        }
        return pairs
    }
}
