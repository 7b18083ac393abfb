/// Header fields in the form in which they are sent, a line each: encoded once for thousands of responses, or written straight into
/// their bytes. A response carries them beside its other fields; the connection copies them as they are.
package struct EncodedFields: Sendable {
    /// Up to three stand side by side as they are: appending what thousands of responses share copies nothing.
    package private(set) var first: [UInt8] = []
    package private(set) var second: [UInt8] = []
    package private(set) var rest: [UInt8] = []

    package init() {}

    package var bytes: [UInt8] { first + second + rest }
    package var count: Int { first.count + second.count + rest.count }

    /// - Returns: `nil` where a name is no token, or a value holds a control character: such a field could end the head early.
    package init?(_ fields: [(name: String, value: String)]) {
        for field in fields {
            guard !field.name.isEmpty, field.name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }),
                field.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 })
            else { return nil }
            first += Array("\(field.name): \(field.value)\r\n".utf8)
        }
    }

    /// - Parameter lines: `name: value CRLF`, any number of times, by somebody who vouches for it.
    package init(lines: [UInt8]) { first = lines }

    package mutating func append(_ other: EncodedFields) {
        if first.isEmpty {
            self = other
        } else if second.isEmpty, rest.isEmpty, other.second.isEmpty {
            second = other.first
        } else if rest.isEmpty, other.second.isEmpty {
            rest = other.first
        } else {
            rest += other.bytes
        }
    }

    /// The fields one by one, for those who look at them.
    package var fields: [(name: String, value: String)] {
        String(decoding: bytes, as: UTF8.self).split(separator: "\r\n").compactMap { line in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            return (String(line[..<colon]), String(line[line.index(after: colon)...].trimmingSpaces()))
        }
    }
}
