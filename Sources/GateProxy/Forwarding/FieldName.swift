/// Names of header fields as the application may read them.
///
/// CGI and everything that was made in its image (WSGI, Rack, PHP) turns `-` and some also `.` into `_` and forgets the case: `X_Forwarded_For`
/// arrives there as `X-Forwarded-For`. What must not come from outside is recognised in every such spelling.
enum FieldName {
    /// Whether `octets` would be read as `name`, which is lower-case ASCII.
    @inline(__always)
    static func reads(_ octets: UnsafeRawBufferPointer, as name: StaticString) -> Bool {
        octets.count == name.utf8CodeUnitCount && begins(octets, with: name)
    }

    @inline(__always)
    static func begins(_ octets: UnsafeRawBufferPointer, with prefix: StaticString) -> Bool {
        guard octets.count >= prefix.utf8CodeUnitCount else { return false }
        for index in 0..<prefix.utf8CodeUnitCount where canonical(octets[index]) != prefix.utf8Start[index] { return false }
        return true
    }

    @inline(__always)
    static func canonical(_ octet: UInt8) -> UInt8 {
        switch octet {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): octet | 0x20
        case UInt8(ascii: "_"), UInt8(ascii: "."): UInt8(ascii: "-")
        default: octet
        }
    }
}

/// A few names that fields are compared with, in every spelling.
struct FieldNameSet: Sendable {
    private var names: [[UInt8]] = []

    init() {}

    init(_ names: some Sequence<String>) {
        self.names = names.map { $0.utf8.map(FieldName.canonical) }
    }

    /// The names in the values of a `Connection` field (RFC 9110 §7.6.1), but for those that say only how the connection goes on.
    init(connectionOptions values: some Sequence<String>) {
        for value in values {
            for option in value.utf8.split(separator: UInt8(ascii: ",")) {
                let name = option.filter { $0 != 0x20 && $0 != 0x09 }.map(FieldName.canonical)
                if !name.isEmpty, name != Self.keepAlive, name != Self.close, !names.contains(name) { names.append(name) }
            }
        }
    }

    var isEmpty: Bool { names.isEmpty }

    mutating func formUnion(_ other: FieldNameSet) { names += other.names.filter { !names.contains($0) } }

    func contains(_ octets: UnsafeRawBufferPointer) -> Bool {
        names.contains { name in
            guard name.count == octets.count else { return false }
            for index in 0..<octets.count where FieldName.canonical(octets[index]) != name[index] { return false }
            return true
        }
    }

    func contains(_ name: StaticString) -> Bool {
        contains(UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    }

    private static let keepAlive = Array("keep-alive".utf8)
    private static let close = Array("close".utf8)
}
