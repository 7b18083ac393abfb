import GateHTTP

/// Header fields on their way into the form in which they are sent: a line each, in one array.
struct FieldLines {
    private var bytes: [UInt8] = []
    /// Whether every field so far is one: its name a token, its value without control characters (RFC 9110 §5.1, §5.5). Where not, nothing
    /// must be sent: a value with a line break in it would be two fields, or the end of the head (CHECKLIST 33).
    private(set) var isSound = true

    init(capacity: Int) { bytes.reserveCapacity(capacity) }

    var encoded: EncodedFields? { isSound ? EncodedFields(lines: bytes) : nil }

    /// - Parameter name: a token.
    mutating func append(_ name: StaticString, _ value: String) {
        begin(name)
        append(value: value)
        end()
    }

    mutating func append(name: UnsafeRawBufferPointer, value: String) {
        var isToken = !name.isEmpty
        for octet in name { isToken = isToken && Self.isToken(octet) }
        isSound = isSound && isToken
        bytes.append(contentsOf: name)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(UInt8(ascii: " "))
        append(value: value)
        end()
    }

    mutating func append(lines: [UInt8]) { bytes.append(contentsOf: lines) }

    /// A field whose value is put together from several; ``end()`` closes it.
    mutating func begin(_ name: StaticString) {
        append(name)
        append(": ")
    }

    mutating func append(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func append(value: String) {
        var value = value
        let isContent = value.withUTF8 { octets in
            bytes.append(contentsOf: octets)
            var isContent = true
            for octet in octets { isContent = isContent && (octet >= 0x20 && octet != 0x7F || octet == 0x09) }
            return isContent
        }
        isSound = isSound && isContent
    }

    mutating func end() {
        bytes.append(0x0D)
        bytes.append(0x0A)
    }

    /// `tchar` (RFC 9110 §5.6.2). One bit per octet, lowest first.
    @inline(__always)
    static func isToken(_ octet: UInt8) -> Bool {
        switch octet {
        case 0x00...0x3F: 0x03FF_6CFA_0000_0000 >> UInt64(octet) & 1 == 1
        case 0x40...0x7F: 0x57FF_FFFF_C7FF_FFFE >> UInt64(octet & 0x3F) & 1 == 1
        default: false
        }
    }
}
