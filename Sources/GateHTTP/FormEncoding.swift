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

    /// One name or value, as `decode` reads it. Besides what RFC 3986 §2.3 leaves alone, a slash is kept, for reading's sake.
    package static func encode(_ text: String) -> String {
        var encoded: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                encoded.append(byte)
            case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "/"): encoded.append(byte)
            default: encoded.appendPercentEncoded(byte)
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }
}

extension [UInt8] {
    /// `%hh`, with the capital letters that RFC 3986 §2.1 asks for.
    package mutating func appendPercentEncoded(_ byte: UInt8) {
        append(UInt8(ascii: "%"))
        for digit in [Hex.digit(byte >> 4), Hex.digit(byte & 15)] { append(digit >= UInt8(ascii: "a") ? digit & 0xDF : digit) }
    }
}
