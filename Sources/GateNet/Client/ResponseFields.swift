import GateHTTP
import NIOCore
import NIOHTTP1

/// The head of a response while it is read: the bytes are complete, every line in them ends with CR LF.
struct ResponseFields {
    let limits: ClientLimits
    /// The protocol that was asked for with `Upgrade`, in lower case.
    let upgrade: String?
    private var count = 0
    private var contentLength: Int?
    private var isChunked = false
    private var wantsClose = false
    private var wantsKeepAlive = false
    private var wantsUpgrade = false
    private var upgradesAsAsked = false
    private var connectionOptions: String?
    private var keepAliveTimeout: Int?

    init(limits: ClientLimits, upgrade: String? = nil) {
        self.limits = limits
        self.upgrade = upgrade
    }

    /// - Parameter method: what was asked; the answer to `HEAD` has no body whatever it says (RFC 9112 §6.3).
    mutating func parse(_ head: ByteBuffer, method: HTTPMethod) throws(ResponseFault) -> ResponseHead {
        let result = head.withUnsafeReadableBytes { bytes -> Result<ResponseHead, ResponseFault> in
            do throws(ResponseFault) {
                var place = 0
                let (isHTTP11, status) = try Self.statusLine(bytes, &place)
                let start = place
                do throws(RequestFault) {
                    while bytes[place] != Octet.cr || bytes[place + 1] != Octet.lf { try parseField(bytes, &place) }
                } catch {
                    throw ResponseFault(error)
                }
                let fields = FieldSection(reading: head.getSlice(at: head.readerIndex + start, length: place - start)!)
                return .success(try self.head(status, isHTTP11: isHTTP11, fields, method: method))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
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
            place = Octet.endOfFieldContent(bytes, from: place)
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
        count += 1
        guard count <= limits.fieldCount else { throw .headersTooLarge("There are more than \(limits.fieldCount) header fields.") }
        try interpret(line.name, line.value)
    }

    /// Looks at the fields that the connection itself goes by.
    private mutating func interpret(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws(RequestFault) {
        switch name.count {
        case 10 where Octet.matches(name, "connection"):
            interpretOptions(value)
        case 10 where Octet.matches(name, "keep-alive"): keepAliveTimeout = Self.timeout(value) ?? keepAliveTimeout
        case 7 where Octet.matches(name, "upgrade"):
            upgradesAsAsked = upgrade.map { Octet.equalIgnoringCase(value, $0) } ?? false
        case 14 where Octet.matches(name, "content-length"):
            guard contentLength == nil else { throw .malformed("There is more than one Content-Length field.") }
            contentLength = try FieldLine.contentLength(value)
        case 17 where Octet.matches(name, "transfer-encoding"):
            guard !isChunked, Octet.matches(value, "chunked") else { throw .malformed("Transfer-Encoding can only be chunked, once.") }
            isChunked = true
        default: break
        }
    }

    private mutating func interpretOptions(_ value: UnsafeRawBufferPointer) {
        if Octet.matches(value, "keep-alive") {
            wantsKeepAlive = true
            return
        }
        var isUsual = true
        for option in value.split(separator: Octet.comma) {
            let option = FieldList.trimmed(UnsafeRawBufferPointer(rebasing: option))
            if Octet.matches(option, "close") {
                wantsClose = true
            } else if Octet.matches(option, "keep-alive") {
                wantsKeepAlive = true
            } else if Octet.matches(option, "upgrade") {
                wantsUpgrade = true
            } else {
                isUsual = false
            }
        }
        guard !isUsual else { return }
        let options = String(decoding: value, as: UTF8.self)
        connectionOptions = connectionOptions.map { "\($0), \(options)" } ?? options
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
    private func head(
        _ status: Int, isHTTP11: Bool, _ fields: FieldSection, method: HTTPMethod
    ) throws(ResponseFault) -> ResponseHead {
        // With both, an attempt at smuggling must be assumed (RFC 9112 §6.1); on HTTP/1.0 chunks don't exist.
        guard !isChunked || contentLength == nil else { throw .malformed("There are both Transfer-Encoding and Content-Length.") }
        guard !isChunked || isHTTP11 else { throw .malformed("HTTP/1.0 has no Transfer-Encoding.") }
        var keepsAlive = !wantsClose && (isHTTP11 || wantsKeepAlive)
        let isForHead = if case .HEAD = method { true } else { false }
        let framing: ResponseHead.Framing
        switch status {
        case 101:
            guard wantsUpgrade, upgradesAsAsked, isHTTP11 else { throw .malformed("It switches protocols without having been asked to.") }
            guard !isChunked, contentLength ?? 0 == 0 else { throw .malformed("A switch of protocols has no body.") }
            framing = .tunnel
            keepsAlive = false
        case 100...199, 204:
            framing = .none
            // Neither may promise a body (RFC 9110 §8.6, RFC 9112 §6.1). Where one does, it may well follow.
            if isChunked || contentLength ?? 0 > 0 { keepsAlive = false }
        case 304: framing = .none
        case _ where isForHead: framing = .none
        default:
            framing = if isChunked { .chunked } else if let contentLength { .length(contentLength) } else { .untilClose }
        }
        if framing == .untilClose { keepsAlive = false }
        return ResponseHead(
            status: HTTPResponseStatus(statusCode: status), fields: fields, framing: framing, contentLength: contentLength,
            connectionOptions: connectionOptions, keepsAlive: keepsAlive, keepAliveTimeout: keepAliveTimeout)
    }
}
