/// What names and addresses of pictures may be.
enum ProfileFields {
    static let maximumNameLength = 100
    static let maximumURLSize = 2048

    /// The name without white space around it; `nil` where nothing is left.
    static func name(_ input: String?, field: String, faults: inout [FieldFault]) -> String? {
        guard let input else { return nil }
        let trimmed = String(String(input.drop(while: \.isWhitespace)).reversed().drop(while: \.isWhitespace).reversed())
        if trimmed.count > maximumNameLength || trimmed.utf8.count > maximumNameLength * 8 {
            faults.append(FieldFault(field: field, code: "too_long", message: "At most \(maximumNameLength) characters are allowed."))
        }
        if trimmed.unicodeScalars.contains(where: isHidden) {
            faults.append(
                FieldFault(
                    field: field, code: "control_character", message: "Line breaks and invisible control characters are not allowed."))
        }
        return trimmed.isEmpty ? nil : trimmed
    }

    /// An absolute `https` URL without user information (RFC 3986 §3.2.1) in printable ASCII; `nil` for none.
    static func avatarURL(_ input: String?, faults: inout [FieldFault]) -> String? {
        guard let input, !input.isEmpty else { return nil }
        guard input.utf8.count <= maximumURLSize else {
            faults.append(FieldFault(field: "avatar_url", code: "too_long", message: "At most \(maximumURLSize) bytes are allowed."))
            return nil
        }
        let scheme = "https://"
        let authority = input.dropFirst(scheme.count).prefix { !"/?#".contains($0) }
        let host = authority.prefix { $0 != ":" }
        guard input.lowercased().hasPrefix(scheme), !host.isEmpty,
            authority.utf8.allSatisfy({ isHostByte($0) || $0 == UInt8(ascii: ":") }),
            input.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !"\"<>\\^`{|}".utf8.contains($0) })
        else {
            faults.append(FieldFault(field: "avatar_url", code: "invalid_url", message: "An https:// address is needed."))
            return nil
        }
        return input
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "."), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// Control characters, line separators, and those that turn the direction of what follows: a name must not rewrite the line that
    /// it is shown in.
    private static func isHidden(_ scalar: UnicodeScalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: true
        case .format: scalar != "\u{200C}" && scalar != "\u{200D}"  // joiners, needed in Persian and in emoji
        default: false
        }
    }
}
