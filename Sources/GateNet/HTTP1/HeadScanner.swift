import GateHTTP
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
        var scanned = scanned
        var lineStart = lineStart
        while scanned < bytes.count {
            guard scanned < limit else { throw .tooLong }
            if bytes[scanned] == Octet.lf {
                guard scanned > lineStart, bytes[scanned - 1] == Octet.cr else { throw .bareLF }
                if scanned - 1 == lineStart { return scanned + 1 }
                lineStart = scanned + 1
            }
            scanned += 1
        }
        self.scanned = scanned
        self.lineStart = lineStart
        return nil
    }
}
