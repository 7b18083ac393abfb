import GateCore
import GateHTTP
import GateNet
import NIOCore

/// Several ranges of a file in one body, `multipart/byteranges` (RFC 9110 §14.6).
struct MultipartRanges: Sendable {
    private let parts: [(head: String, body: FileBody)]
    private let end: String
    let contentType: String

    init(_ ranges: [Range<Int>], of found: FoundFile, boundary: String) {
        parts = ranges.map { range in
            let head =
                "\r\n--\(boundary)\r\nContent-Type: \(found.type.name)\r\nContent-Range: \(range.contentRange(of: found.status.size))\r\n\r\n"
            return (head, FileBody(found.file, range))
        }
        end = "\r\n--\(boundary)--\r\n"
        contentType = "multipart/byteranges; boundary=\(boundary)"
    }

    /// In bytes.
    var length: Int { parts.reduce(end.utf8.count) { $0 + $1.head.utf8.count + $1.body.range.count } }

    func write(to writer: any BodyWriter) async throws {
        for (head, body) in parts {
            try await writer.write(ByteBuffer(string: head))
            try await body.write(to: writer)
        }
        try await writer.write(ByteBuffer(string: end))
    }
}
