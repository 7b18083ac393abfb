import GateHTTP
import NIOHTTP1

/// The head of a response while it is read: the bytes are complete, every line in them ends with CR LF.
struct ResponseFields {
    let limits: ClientLimits
    private var fields: [(String, String)] = []
    private var contentLength: Int?
    private var isChunked = false
    private var wantsClose = false
    private var wantsKeepAlive = false
    private var keepAliveTimeout: Int?

    init(limits: ClientLimits) { self.limits = limits }

    /// - Parameter method: what was asked; the answer to `HEAD` has no body whatever it says (RFC 9112 §6.3).
    mutating func parse(_ bytes: UnsafeRawBufferPointer, method: HTTPMethod) throws(ResponseFault) -> ResponseHead {
        var place = 0
        let (isHTTP11, status) = try Self.statusLine(bytes, &place)
        fields.reserveCapacity(12)
        do throws(RequestFault) {
            while bytes[place] != Octet.cr || bytes[place + 1] != Octet.lf { try parseField(bytes, &place) }
        } catch {
            throw ResponseFault(error)
        }
        return try head(status, isHTTP11: isHTTP11, method: method)
    }

    /// `HTTP/1.1 200 OK` (RFC 9112 §4). The reason phrase is for nobody; the space before it is left out by servers that have none.
    private static func statusLine(_ bytes: UnsafeRawBufferPointer, _ place: inout Int) throws(ResponseFault) -> (Bool, Int) {
        let expected: StaticString = "HTTP/1."
        guard bytes.count >= 14 else { throw .malformed("The status line is incomplete.") }
        for index in 0..<7 where bytes[index] != expected.utf8Start[index] { throw .malformed("The response does not begin with HTTP/1.") }
        let minor = bytes[7]
        guard minor == UInt8(ascii: "0") || minor == UInt8(ascii: "1"), bytes[8] == Octet.space else {
            throw .malformed("The version is neither HTTP/1.1 nor HTTP/1.0.")
        }
        var status = 0
        for index in 9..<12 {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { throw .malformed("The status is no number of three digits.") }
            status = status * 10 + Int(digit)
        }
        guard (100...599).contains(status) else { throw .malformed("There is no status \(status).") }
        place = 12
        if bytes[place] == Octet.space {
            place += 1
            while Octet.isFieldContent(bytes[place]) { place += 1 }
        }
        guard bytes[place] == Octet.cr, bytes[place + 1] == Octet.lf else {
            throw .malformed("The status line is not HTTP/1.1 STATUS REASON.")
        }
        place += 2
        return (minor == UInt8(ascii: "1"), status)
    }

    private mutating func parseField(_ bytes: UnsafeRawBufferPointer, _ place: inout Int) throws(RequestFault) {
        let line = try FieldLine(bytes, &place)
        guard line.length <= limits.fieldSize else { throw .headersTooLarge("A header field has more than \(limits.fieldSize) bytes.") }
        guard fields.count < limits.fieldCount else { throw .headersTooLarge("There are more than \(limits.fieldCount) header fields.") }
        try interpret(line.name, line.value)
        fields.append((String(decoding: line.name, as: UTF8.self), String(decoding: line.value, as: UTF8.self)))
    }

    /// Looks at the fields that the connection itself goes by.
    private mutating func interpret(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws(RequestFault) {
        switch name.count {
        case 10 where Octet.matches(name, "connection"):
            for option in value.split(separator: Octet.comma) {
                let option = FieldList.trimmed(UnsafeRawBufferPointer(rebasing: option))
                if Octet.matches(option, "close") { wantsClose = true }
                if Octet.matches(option, "keep-alive") { wantsKeepAlive = true }
            }
        case 10 where Octet.matches(name, "keep-alive"): keepAliveTimeout = Self.timeout(value) ?? keepAliveTimeout
        case 14 where Octet.matches(name, "content-length"):
            guard contentLength == nil else { throw .malformed("There is more than one Content-Length field.") }
            contentLength = try FieldLine.contentLength(value)
        case 17 where Octet.matches(name, "transfer-encoding"):
            guard !isChunked, Octet.matches(value, "chunked") else { throw .malformed("Transfer-Encoding can only be chunked, once.") }
            isChunked = true
        default: break
        }
    }

    /// `timeout=5, max=100` (RFC 2068 §19.7.1.1; no later standard has it, servers do). `nil` where it cannot be read: it is a hint.
    private static func timeout(_ value: UnsafeRawBufferPointer) -> Int? {
        let name: StaticString = "timeout="
        for parameter in value.split(separator: Octet.comma) {
            let parameter = FieldList.trimmed(UnsafeRawBufferPointer(rebasing: parameter))
            guard parameter.count > name.utf8CodeUnitCount,
                Octet.matches(UnsafeRawBufferPointer(rebasing: parameter[..<name.utf8CodeUnitCount]), name)
            else { continue }
            let digits = parameter[name.utf8CodeUnitCount...]
            return digits.count <= 9 ? Int(String(decoding: digits, as: UTF8.self)) : nil
        }
        return nil
    }

    /// RFC 9112 §6.3.
    private func head(_ status: Int, isHTTP11: Bool, method: HTTPMethod) throws(ResponseFault) -> ResponseHead {
        // With both, an attempt at smuggling must be assumed (RFC 9112 §6.1); on HTTP/1.0 chunks don't exist.
        guard !isChunked || contentLength == nil else { throw .malformed("There are both Transfer-Encoding and Content-Length.") }
        guard !isChunked || isHTTP11 else { throw .malformed("HTTP/1.0 has no Transfer-Encoding.") }
        var keepsAlive = !wantsClose && (isHTTP11 || wantsKeepAlive)
        let framing: ResponseHead.Framing
        switch status {
        case 100...199, 204:
            framing = .none
            // Neither may promise a body (RFC 9110 §8.6, RFC 9112 §6.1). Where one does, it may well follow.
            if isChunked || contentLength ?? 0 > 0 { keepsAlive = false }
        case 304: framing = .none
        case _ where method == .HEAD: framing = .none
        default:
            framing = if isChunked { .chunked } else if let contentLength { .length(contentLength) } else { .untilClose }
        }
        if framing == .untilClose { keepsAlive = false }
        return ResponseHead(
            status: HTTPResponseStatus(statusCode: status), isHTTP11: isHTTP11, headers: HTTPHeaders(fields), framing: framing,
            keepsAlive: keepsAlive, keepAliveTimeout: keepAliveTimeout)
    }
}
