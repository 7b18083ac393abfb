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

    /// Compares without case to as many letters in lower case, sixteen at most: the first eight at once, and the last eight.
    private static func equals(_ name: String, _ lower: StaticString) -> Bool {
        var name = name
        return name.withUTF8 { octets in
            let octets = UnsafeRawBufferPointer(octets)
            let lower = UnsafeRawBufferPointer(start: lower.utf8Start, count: octets.count)
            guard octets.count >= 8 else { return octets.indices.allSatisfy { octets[$0] | 0x20 == lower[$0] } }
            func agrees(from place: Int) -> Bool {
                octets.loadUnaligned(fromByteOffset: place, as: UInt64.self) | 0x2020_2020_2020_2020
                    == lower.loadUnaligned(fromByteOffset: place, as: UInt64.self)
            }
            return agrees(from: 0) && agrees(from: octets.count - 8)
        }
    }
}
