/// What a field of a request is to us, by its name.
enum CredentialField {
    case cookie
    case authorization
    /// One that only we may send, see ``IdentityFields/isReserved(_:)``.
    case reserved
    case other

    init(_ name: String) {
        switch name.utf8.count {
        case 6: self = Self.equals(name, "cookie") ? .cookie : .other
        case 13 where Self.equals(name, "authorization"): self = .authorization
        case 12...: self = IdentityFields.isReserved(name) ? .reserved : .other
        default: self = .other
        }
    }

    /// Compares without case to a text in lower case and of the same length.
    private static func equals(_ name: String, _ lower: StaticString) -> Bool {
        var name = name
        return name.withUTF8 { bytes in
            for place in 0..<bytes.count where bytes[place] | 0x20 != lower.utf8Start[place] { return false }
            return true
        }
    }
}
