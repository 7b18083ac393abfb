/// Hexadecimal, lower case when written, either case when read (RFC 4648 §8).
package enum Hex {
    package static func digit(_ value: UInt8) -> UInt8 { value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") - 10 + value }

    /// The sixteen digits of `value` as they stand in memory, the first eight and the others: all at once, since every request has an id.
    package static func digits(of value: UInt64) -> (first: UInt64, second: UInt64) {
        (eightDigits(UInt32(truncatingIfNeeded: value >> 32)), eightDigits(UInt32(truncatingIfNeeded: value)))
    }

    private static func eightDigits(_ value: UInt32) -> UInt64 {
        // A nibble to each byte, the lowest to the lowest.
        var nibbles = UInt64(value)
        nibbles = (nibbles | nibbles << 16) & 0x0000_FFFF_0000_FFFF
        nibbles = (nibbles | nibbles << 8) & 0x00FF_00FF_00FF_00FF
        nibbles = (nibbles | nibbles << 4) & 0x0F0F_0F0F_0F0F_0F0F
        let areLetters = (nibbles + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        let fromNineToLetters = UInt64(UInt8(ascii: "a") - UInt8(ascii: "9") - 1)
        return (nibbles + 0x3030_3030_3030_3030 + areLetters * fromNineToLetters).bigEndian
    }

    package static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    package static func encode(_ bytes: some Collection<UInt8>) -> String {
        String(unsafeUninitializedCapacity: bytes.count * 2) { buffer in
            var place = 0
            for byte in bytes {
                buffer[place] = digit(byte >> 4)
                buffer[place + 1] = digit(byte & 15)
                place += 2
            }
            return place
        }
    }
}

/// Base64 with the URL-safe alphabet and without padding (RFC 4648 §5, RFC 7515 §2).
package enum Base64URL {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xFF, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        return values
    }()

    package static func encode(_ bytes: some Sequence<UInt8>) -> String {
        String(decoding: encoded(bytes), as: UTF8.self)
    }

    /// The encoded form as ASCII bytes.
    package static func encoded(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        // Generic code is not specialised across modules: byte by byte it would cost thirty times as much.
        bytes.withContiguousStorageIfAvailable { encoded(contiguous: $0) }
            ?? Array(bytes).withUnsafeBufferPointer { encoded(contiguous: $0) }
    }

    private static func encoded(contiguous bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: (bytes.count * 4 + 2) / 3) { text, place in
            alphabet.withUnsafeBufferPointer { alphabet in
                var bits: UInt32 = 0
                var count: UInt32 = 0
                for byte in bytes {
                    bits = bits << 8 | UInt32(byte)
                    count += 8
                    while count >= 6 {
                        count -= 6
                        text[place] = alphabet[Int(bits >> count & 63)]
                        place += 1
                    }
                }
                if count > 0 {
                    text[place] = alphabet[Int(bits << (6 - count) & 63)]
                    place += 1
                }
            }
        }
    }

    /// The bytes of `text`, or `nil` where it holds another character, padding, an impossible length or unused bits that are
    /// not zero: one value has exactly one spelling.
    package static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        text.withContiguousStorageIfAvailable { decode(contiguous: $0) } ?? Array(text).withUnsafeBufferPointer { decode(contiguous: $0) }
    }

    private static func decode(contiguous text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        guard text.count % 4 != 1 else { return nil }
        var bits: UInt32 = 0
        var count: UInt32 = 0
        var isSound = true
        let bytes = [UInt8](unsafeUninitializedCapacity: text.count * 3 / 4) { bytes, place in
            values.withUnsafeBufferPointer { values in
                for character in text {
                    let value = values[Int(character)]
                    isSound = isSound && value != 0xFF
                    bits = bits << 6 | UInt32(value & 63)
                    count += 6
                    if count >= 8 {
                        count -= 8
                        bytes[place] = UInt8(truncatingIfNeeded: bits >> count)
                        place += 1
                    }
                }
            }
        }
        return isSound && bits & (1 << count - 1) == 0 ? bytes : nil
    }
}
