/// An e-mail address in the one form by which it is stored, compared and limited (CHECKLIST 25).
///
/// The domain is lower-cased, and so is the local part: no provider of note tells `Ann@` from `ann@`, and two accounts that differ
/// by case alone are a trap. Nothing else is folded: dots and `+tags` are the provider's business.
///
/// Only ASCII is taken; a domain in another script is written in its `xn--` form (RFC 5890). Beyond ASCII one address has several
/// spellings (composed and decomposed, `K` and the Kelvin sign, which lower-cases to `k`), and each pair is a way into another's
/// account [CVE-2019-19844].
package struct EmailAddress: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    /// The longest address that SMTP can carry: 254 characters (RFC 5321 §4.5.3.1.3, erratum 1690).
    package static let maximumLength = 254

    /// - Returns: `nil` unless there is exactly one `@` with a dot-atom of at most 64 characters before it (RFC 5322 §3.2.3) and a
    ///   host name of at least two labels after it, the last not all digits. Spaces around it are dropped.
    package init?(_ input: String) {
        let bytes = Array(input.utf8).trimmingSpaces
        guard bytes.count <= Self.maximumLength else { return nil }
        let parts = bytes.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        guard parts.count == 2, Self.isLocalPart(parts[0]), Self.isDomain(parts[1]) else { return nil }
        text = String(decoding: bytes.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    /// What stands before the `@`.
    package var localPart: Substring { text.prefix { $0 != "@" } }

    private static func isLocalPart(_ part: ArraySlice<UInt8>) -> Bool {
        part.count <= 64
            && part.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { atom in
                !atom.isEmpty && atom.allSatisfy { isAlphanumeric($0) || "!#$%&'*+-/=?^_`{|}~".utf8.contains($0) }
            }
    }

    private static func isDomain(_ part: ArraySlice<UInt8>) -> Bool {
        let labels = part.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard labels.count >= 2, let last = labels.last, !last.allSatisfy({ (0x30...0x39).contains($0) }) else { return false }
        let hyphen = UInt8(ascii: "-")
        return labels.allSatisfy { label in
            (1...63).contains(label.count) && label.first != hyphen && label.last != hyphen
                && label.allSatisfy { isAlphanumeric($0) || $0 == hyphen }
        }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    package var description: String { text }
}

extension [UInt8] {
    fileprivate var trimmingSpaces: ArraySlice<UInt8> {
        let start = firstIndex { $0 != 0x20 } ?? endIndex
        let end = lastIndex { $0 != 0x20 }.map { $0 + 1 } ?? start
        return self[start..<end]
    }
}
