import GateHTTP
import NIOCore
import NIOHTTP1

/// Reads the head of a request (RFC 9112 §2 to §6), strictly.
///
/// It stands in place of NIO's decoder: two parsers one after the other, a lenient one behind a strict one, would be two readings of
/// one request, and two readings are what smuggling lives on. Everything RFC 9112 lets a server refuse is refused: bare LF, obs-fold,
/// white space before the colon, control characters, any `Transfer-Encoding` but `chunked`, more than one `Content-Length`.
struct RequestHeadParser {
    let limits: ServerLimits
    private var scanner = HeadScanner()
    private var hasSkippedEmptyLine = false
    private var recentFields = RecentFields()

    init(limits: ServerLimits) { self.limits = limits }

    /// The next head, taken off `buffer`; `nil` where it is not complete.
    mutating func parse(_ buffer: inout ByteBuffer) throws(RequestFault) -> RequestHead? {
        if scanner.scanned == 0, !hasSkippedEmptyLine {
            skipEmptyLine(&buffer)
            if !hasSkippedEmptyLine, buffer.readableBytes == 1, buffer.getInteger(at: buffer.readerIndex, as: UInt8.self) == Octet.cr {
                return nil
            }
        }
        guard let length = try findEnd(buffer) else { return nil }
        let bytes = buffer.readSlice(length: length)!
        scanner = HeadScanner()
        hasSkippedEmptyLine = false
        return try bytes.withUnsafeReadableBytes { bytes throws(RequestFault) in
            var place = 0
            let line = try RequestLine(bytes, &place)
            return try RequestHead(line, recentFields.read(UnsafeRawBufferPointer(rebasing: bytes[place...]), limits: limits))
        }
    }

    /// Lets go of what is kept for the next head.
    mutating func forgetFields() { recentFields.forget() }

    /// RFC 9112 §2.2: a server should ignore an empty line before the request line. One, however the bytes are cut.
    private mutating func skipEmptyLine(_ buffer: inout ByteBuffer) {
        let start = buffer.readerIndex
        guard buffer.getInteger(at: start, as: UInt8.self) == Octet.cr, buffer.getInteger(at: start + 1, as: UInt8.self) == Octet.lf else {
            return
        }
        buffer.moveReaderIndex(forwardBy: 2)
        hasSkippedEmptyLine = true
    }

    /// The length of the head with the empty line at its end.
    private mutating func findEnd(_ buffer: ByteBuffer) throws(RequestFault) -> Int? {
        let limit = limits.headSize
        let found = buffer.withUnsafeReadableBytes { bytes -> Result<Int?, RequestFault> in
            // Neither TLS nor anything else that is no HTTP is waited for until it has a line.
            if let first = bytes.first, !Octet.isToken(first), first != Octet.cr {
                return .failure(.malformed("The request does not begin with a method."))
            }
            do throws(HeadScanner.Fault) {
                return .success(try scanner.findEnd(bytes, limit: limit))
            } catch {
                switch error {
                case .bareLF: return .failure(.malformed("A line of the head ends with LF alone."))
                case .tooLong:
                    return .failure(.headersTooLarge("The request line and the header fields may have \(limit) bytes together."))
                }
            }
        }
        return try found.get()
    }
}
