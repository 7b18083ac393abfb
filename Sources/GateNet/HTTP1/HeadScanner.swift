import GateHTTP
import Glibc
import NIOCore

/// Looks for the end of a head: the empty line. Remembers how far it came, so that a head that arrives byte by byte is not read again
/// and again.
struct HeadScanner {
    enum Fault: Error {
        /// A line ends with LF alone.
        case bareLF
        case tooLong
    }

    /// Both from the reader index.
    private(set) var scanned = 0
    private var lineStart = 0

    /// The length of the head with the empty line at its end; `nil` where that has not come.
    mutating func findEnd(_ bytes: UnsafeRawBufferPointer, limit: Int) throws(Fault) -> Int? {
        let end = min(bytes.count, limit)
        while let line = Self.lineFeed(in: bytes, scanned..<end) {
            guard line > lineStart, bytes[line - 1] == Octet.cr else { throw .bareLF }
            if line - 1 == lineStart { return line + 1 }
            lineStart = line + 1
            scanned = lineStart
        }
        guard bytes.count <= limit else { throw .tooLong }
        scanned = end
        return nil
    }

    private static func lineFeed(in bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int? {
        guard let start = bytes.baseAddress, let found = memchr(start + range.lowerBound, Int32(Octet.lf), range.count) else { return nil }
        return start.distance(to: UnsafeRawPointer(found))
    }
}
