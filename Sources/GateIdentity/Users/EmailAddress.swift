/// An e-mail address in the one form by which it is stored, compared and limited (CHECKLIST 25).
///
/// The domain is lower-cased, and so is the local part: no provider of note tells `Ann@` from `ann@`, and two accounts that differ
/// by case alone are a trap. Nothing else is folded: dots and `+tags` are the provider's business.
package struct EmailAddress: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    /// The longest address that SMTP can carry: 254 characters (RFC 5321 §4.5.3.1.3, erratum 1690).
    package static let maximumLength = 254

    /// - Returns: `nil` unless there is exactly one `@` with a local part of at most 64 characters before it and a domain of at
    ///   least two labels after it, all printable ASCII or letters beyond ASCII, without spaces, control characters, quotation
    ///   marks, brackets and commas.
    package init?(_ input: String) {
        let trimmed = input.drop { $0 == " " }
        let text = String(trimmed.reversed().drop { $0 == " " }.reversed()).lowercased()
        guard text.utf8.count <= Self.maximumLength else { return nil }
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, parts[0].utf8.count <= 64 else { return nil }
        guard text.unicodeScalars.allSatisfy(Self.isAllowed), !parts[0].hasPrefix("."), !parts[0].hasSuffix("."), !parts[0].contains("..")
        else {
            return nil
        }
        let labels = parts[1].split(separator: ".", omittingEmptySubsequences: false)
        guard labels.count >= 2,
            labels.allSatisfy({ label in
                !label.isEmpty && label.utf8.count <= 63 && !label.hasPrefix("-") && !label.hasSuffix("-")
                    && label.unicodeScalars.allSatisfy { $0.properties.isAlphabetic || $0.properties.numericType != nil || $0 == "-" }
            })
        else { return nil }
        self.text = text
    }

    private static func isAllowed(_ scalar: UnicodeScalar) -> Bool {
        switch scalar {
        case "\u{21}"..."\u{7E}": !"\"(),:;<>[]\\".unicodeScalars.contains(scalar)
        case "\u{A1}"...:
            scalar.properties.isAlphabetic || scalar.properties.numericType != nil || scalar.properties.generalCategory == .nonspacingMark
        default: false
        }
    }

    package var description: String { text }
}
