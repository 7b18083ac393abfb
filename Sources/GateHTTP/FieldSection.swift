import Glibc
package import NIOCore
package import NIOHTTP1

/// The fields of a message's head (RFC 9110 §6.3) in the bytes in which they came: a proxy passes most of them on unread.
///
/// Whoever makes one has read it strictly: each line is a token, a colon, optional white space, a value without control characters,
/// optional white space, and CR LF.
package struct FieldSection: Sendable {
    /// The lines, without the empty one at the end.
    package let lines: ByteBuffer

    /// - Parameter lines: read strictly already.
    package init(reading lines: ByteBuffer) { self.lines = lines }

    /// Calls `body` with each field, in order: name and value without the white space around it, and the whole line with its end. The
    /// bytes are valid during the call only.
    package func forEach(
        _ body: (_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ line: UnsafeRawBufferPointer) -> Void
    ) {
        lines.withUnsafeReadableBytes { bytes in
            var place = 0
            while place < bytes.count {
                let start = place
                while bytes[place] != UInt8(ascii: ":") { place += 1 }
                let nameEnd = place
                place += 1
                while bytes[place] == UInt8(ascii: " ") || bytes[place] == UInt8(ascii: "\t") { place += 1 }
                let valueStart = place
                guard let end = memchr(bytes.baseAddress! + place, CInt(UInt8(ascii: "\r")), bytes.count - place) else { return }
                place = UnsafeRawPointer(end) - bytes.baseAddress!
                var valueEnd = place
                while valueEnd > valueStart, bytes[valueEnd - 1] == UInt8(ascii: " ") || bytes[valueEnd - 1] == UInt8(ascii: "\t") {
                    valueEnd -= 1
                }
                place += 2
                body(
                    UnsafeRawBufferPointer(rebasing: bytes[start..<nameEnd]),
                    UnsafeRawBufferPointer(rebasing: bytes[valueStart..<valueEnd]),
                    UnsafeRawBufferPointer(rebasing: bytes[start..<place]))
            }
        }
    }

    /// The first value under that name, which is lower-case ASCII.
    package func first(_ name: StaticString) -> String? {
        var found: String?
        forEach { candidate, value, _ in
            if found == nil, Octet.matches(candidate, name) { found = String(decoding: value, as: UTF8.self) }
        }
        return found
    }

    /// The fields one by one, for those who look at them.
    package var headers: HTTPHeaders {
        var fields: [(String, String)] = []
        fields.reserveCapacity(12)
        forEach { name, value, _ in fields.append((String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self))) }
        return HTTPHeaders(fields)
    }
}

extension FieldSection: Equatable {
    package static func == (left: FieldSection, right: FieldSection) -> Bool { left.lines == right.lines }
}
