import GateCore

/// What a path means to somebody who reads it less literally than we do (CHECKLIST 32).
///
/// We look at a path as it was sent, and send it on like that. What lies behind may decode it, once or more often, take `\` for `/`, join
/// slashes, cut off `;parameters` or what follows an encoded `?`, and climb at `..` (Tomcat's `/..;/`, CVE-2021-41773), and so find itself at
/// a path that another site's rule is for.
enum PathReading: Equatable {
    /// There is one reading only.
    case literal
    /// The path under all of these at once. Whatever order and subset of them somebody applies, the result leads to the same site as this one
    /// or as the literal path: nothing is undone by applying more of them, as long as there are no dot segments.
    case loose([UInt8])
    /// Where something to cut off meets an encoded slash, the order matters: there are more than two readings.
    case many
    /// A reading has a dot segment, which climbs out of whatever prefix it stands behind, or a NUL, where C ends a text.
    case climbing

    init(_ path: UnsafeBufferPointer<UInt8>) { self = Self.isPlain(path) ? .literal : Self.reading(Array(path)) }

    /// Whether there is nothing that could be read in another way. Most paths are plain, so they cost one pass.
    private static func isPlain(_ path: UnsafeBufferPointer<UInt8>) -> Bool {
        var afterSlash = false
        for byte in path {
            switch byte {
            case UInt8(ascii: "/"):
                if afterSlash { return false }
                afterSlash = true
            case UInt8(ascii: "."):
                // A name such as `.well-known` is left to the closer look as well.
                if afterSlash { return false }
            case UInt8(ascii: "%"), UInt8(ascii: ";"), UInt8(ascii: "\\"): return false
            default: afterSlash = false
            }
        }
        return true
    }

    private static func reading(_ path: [UInt8]) -> PathReading {
        let decoded = decode(path)
        var segments: [ArraySlice<UInt8>] = []
        for segment in decoded.split(whereSeparator: { $0 == slash || $0 == backslash }) {
            let name = segment.prefix { !cuts($0) }
            if name.elementsEqual(".".utf8) || name.elementsEqual("..".utf8) || segment.contains(0) { return .climbing }
            if !name.isEmpty { segments.append(name) }
        }
        if decoded == path, segments.isEmpty ? path == [slash] : isLiteral(path) { return .literal }
        let slashes = { (bytes: [UInt8]) in bytes.count { $0 == slash || $0 == backslash } }
        if decoded.contains(where: cuts), slashes(decoded) > slashes(path) { return .many }
        var loose = segments.reduce(into: [UInt8]()) { $0 += [slash] + $1 }
        if loose.isEmpty || decoded.last == slash { loose.append(slash) }
        return .loose(loose)
    }

    private static func isLiteral(_ path: [UInt8]) -> Bool {
        !path.contains(where: cuts) && !path.contains(backslash) && !zip(path, path.dropFirst()).contains { $0 == slash && $1 == slash }
    }

    /// Decodes percent signs until none can be decoded.
    private static func decode(_ path: [UInt8]) -> [UInt8] {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(path.count)
        for byte in path {
            decoded.append(byte)
            // What was just completed may be part of another one: `%252f`, `%2%35f`.
            while decoded.count >= 3, decoded[decoded.count - 3] == UInt8(ascii: "%"),
                let high = Hex.value(of: decoded[decoded.count - 2]), let low = Hex.value(of: decoded[decoded.count - 1])
            {
                decoded.removeLast(3)
                decoded.append(high << 4 | low)
            }
        }
        return decoded
    }

    private static let slash = UInt8(ascii: "/")
    private static let backslash = UInt8(ascii: "\\")
    private static func cuts(_ byte: UInt8) -> Bool { byte == UInt8(ascii: ";") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#") }
}
