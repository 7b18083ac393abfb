/// Octets of the HTTP grammar by name, and the classes that RFC 9110 §5.6 and RFC 9112 give them.
package enum Octet {
    package static let tab = UInt8(ascii: "\t")
    package static let lf = UInt8(ascii: "\n")
    package static let cr = UInt8(ascii: "\r")
    package static let space = UInt8(ascii: " ")
    package static let colon = UInt8(ascii: ":")
    package static let comma = UInt8(ascii: ",")
    package static let semicolon = UInt8(ascii: ";")

    /// `tchar` (RFC 9110 §5.6.2): letters, digits and ``!#$%&'*+-.^_`|~``. One bit per octet, lowest first.
    @inlinable
    @inline(__always)
    package static func isToken(_ octet: UInt8) -> Bool {
        switch octet {
        case 0x00...0x3F: 0x03FF_6CFA_0000_0000 >> UInt64(octet) & 1 == 1
        case 0x40...0x7F: 0x57FF_FFFF_C7FF_FFFE >> UInt64(octet & 0x3F) & 1 == 1
        default: false
        }
    }

    /// What a field value may hold (RFC 9110 §5.5): visible ASCII, space, tab, and obs-text.
    @inlinable
    @inline(__always)
    package static func isFieldContent(_ octet: UInt8) -> Bool { octet >= 0x20 && octet != 0x7F || octet == 0x09 }

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
        for index in 0..<octets.count where lowercased(octets[index]) != name.utf8Start[index] { return false }
        return true
    }
}
