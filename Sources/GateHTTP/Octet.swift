/// Octets of the HTTP grammar by name, and the classes that RFC 9110 §5.6 and RFC 9112 give them.
///
/// `@usableFromInline` on the type is what makes its members inlinable in other modules: without it `@inlinable` on a member of a `package`
/// type is accepted and does nothing, and a request's head costs a call for every octet.
@usableFromInline
package enum Octet {
    @inlinable package static var tab: UInt8 { UInt8(ascii: "\t") }
    @inlinable package static var lf: UInt8 { UInt8(ascii: "\n") }
    @inlinable package static var cr: UInt8 { UInt8(ascii: "\r") }
    @inlinable package static var space: UInt8 { UInt8(ascii: " ") }
    @inlinable package static var colon: UInt8 { UInt8(ascii: ":") }
    @inlinable package static var comma: UInt8 { UInt8(ascii: ",") }
    @inlinable package static var semicolon: UInt8 { UInt8(ascii: ";") }

    /// `tchar` (RFC 9110 §5.6.2): letters, digits and ``!#$%&'*+-.^_`|~``. One bit per octet, lowest first; letters are told sooner, and
    /// most octets of a name are some.
    @inlinable
    @inline(__always)
    package static func isToken(_ octet: UInt8) -> Bool {
        if isLetter(octet) { return true }
        return switch octet {
        case 0x00...0x3F: 0x03FF_6CFA_0000_0000 >> UInt64(octet) & 1 == 1
        case 0x40...0x7F: 0x57FF_FFFF_C7FF_FFFE >> UInt64(octet & 0x3F) & 1 == 1
        default: false
        }
    }

    @inlinable
    @inline(__always)
    package static func isLetter(_ octet: UInt8) -> Bool { (octet | 0x20) &- UInt8(ascii: "a") < 26 }

    /// What a field value may hold (RFC 9110 §5.5): visible ASCII, space, tab, and obs-text.
    @inlinable
    @inline(__always)
    package static func isFieldContent(_ octet: UInt8) -> Bool { octet >= 0x20 && octet != 0x7F || octet == 0x09 }

    /// Where the first octet stands, from `place` on, that a field value may not hold; the count of `octets` where there is none. Eight octets
    /// at a time: most of a head are values.
    @inlinable
    package static func endOfFieldContent(_ octets: UnsafeRawBufferPointer, from place: Int) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs = ones << 7
        var place = place
        while place + 8 <= octets.count {
            let word = UInt64(littleEndian: octets.loadUnaligned(fromByteOffset: place, as: UInt64.self))
            let deletes = word ^ (ones &* 0x7F)
            // The lowest of these bits is that of the first octet below 0x20 or equal to 0x7F: a borrow comes from one, and goes upwards.
            let found = (((word &- ones &* 0x20) & ~word) | ((deletes &- ones) & ~deletes)) & highs
            guard found == 0 else {
                place += found.trailingZeroBitCount / 8
                break
            }
            place += 8
        }
        while place < octets.count, isFieldContent(octets[place]) { place += 1 }
        return place
    }

    /// What an authority may hold without user information (RFC 3986 §3.2.2): unreserved, sub-delims, `%`, `:`, `[` and `]`.
    @inlinable
    @inline(__always)
    package static func isAuthority(_ octet: UInt8) -> Bool {
        switch octet {
        case 0x00...0x3F: 0x2FFF_7FF2_0000_0000 >> UInt64(octet) & 1 == 1
        case 0x40...0x7F: 0x47FF_FFFE_AFFF_FFFE >> UInt64(octet & 0x3F) & 1 == 1
        default: false
        }
    }

    @inlinable
    @inline(__always)
    package static func lowercased(_ octet: UInt8) -> UInt8 {
        octet >= UInt8(ascii: "A") && octet <= UInt8(ascii: "Z") ? octet | 0x20 : octet
    }

    /// Whether `octets` spells `name` in any case; `name` is lower-case ASCII.
    @inlinable
    @inline(__always)
    package static func matches(_ octets: UnsafeRawBufferPointer, _ name: StaticString) -> Bool {
        guard octets.count == name.utf8CodeUnitCount else { return false }
        for index in 0..<octets.count {
            let (octet, wanted) = (octets[index], name.utf8Start[index])
            guard octet == wanted || lowercased(octet) == wanted else { return false }
        }
        return true
    }
}
