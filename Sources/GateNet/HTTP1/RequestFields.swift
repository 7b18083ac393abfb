import GateHTTP
import NIOHTTP1

/// A head while it is read: the bytes are complete, every line in them ends with CR LF.
struct RequestFields {
    let limits: ServerLimits
    private var fields: [(String, String)] = []
    private var host: String?
    private var contentLength: Int?
    private var isChunked = false
    private var wantsClose = false
    private var wantsKeepAlive = false
    private var expectsContinue = false
    private var wantsUpgrade = false
    private var upgrade: String?

    init(limits: ServerLimits) { self.limits = limits }

    mutating func parse(_ bytes: UnsafeRawBufferPointer) throws(RequestFault) -> RequestHead {
        var place = 0
        let method = try Self.method(bytes, &place)
        let targetStart = place
        while place < bytes.count, bytes[place] > 0x20, bytes[place] < 0x7F { place += 1 }
        let target = String(decoding: UnsafeRawBufferPointer(rebasing: bytes[targetStart..<place]), as: UTF8.self)
        let version = try Self.version(bytes, &place)
        fields.reserveCapacity(8)
        while bytes[place] != Octet.cr || bytes[place + 1] != Octet.lf { try parseField(bytes, &place) }
        return try head(method: method, target: target, version: version)
    }

    private static func method(_ bytes: UnsafeRawBufferPointer, _ place: inout Int) throws(RequestFault) -> HTTPMethod {
        while place < bytes.count, Octet.isToken(bytes[place]) { place += 1 }
        guard place > 0, place <= 32, bytes[place] == Octet.space else { throw .malformed("The method is no token.") }
        defer { place += 1 }
        let name = UnsafeRawBufferPointer(rebasing: bytes[..<place])
        if name.count == 3, name[0] == UInt8(ascii: "G"), name[1] == UInt8(ascii: "E"), name[2] == UInt8(ascii: "T") { return .GET }
        return HTTPMethod(rawValue: String(decoding: name, as: UTF8.self))
    }

    /// ` HTTP/1.1` or ` HTTP/1.0` and the end of the line.
    private static func version(_ bytes: UnsafeRawBufferPointer, _ place: inout Int) throws(RequestFault) -> Request.Version {
        let expected: StaticString = " HTTP/1."
        guard bytes.count >= place + 11 else { throw .malformed("The request line is incomplete.") }
        for index in 0..<8 where bytes[place + index] != expected.utf8Start[index] {
            throw .malformed("The request line is not METHOD TARGET HTTP/1.1.")
        }
        let minor = bytes[place + 8]
        guard minor == UInt8(ascii: "0") || minor == UInt8(ascii: "1"), bytes[place + 9] == Octet.cr, bytes[place + 10] == Octet.lf else {
            throw .malformed("The version is neither HTTP/1.1 nor HTTP/1.0.")
        }
        place += 11
        return minor == UInt8(ascii: "1") ? .http11 : .http10
    }

    private mutating func parseField(_ bytes: UnsafeRawBufferPointer, _ place: inout Int) throws(RequestFault) {
        let line = try FieldLine(bytes, &place)
        guard line.length <= limits.fieldSize else {
            throw .headersTooLarge("A header field may have \(limits.fieldSize) bytes.")
        }
        guard fields.count < limits.fieldCount else { throw .headersTooLarge("There may be \(limits.fieldCount) header fields.") }
        try interpret(line.name, line.value)
        fields.append((String(decoding: line.name, as: UTF8.self), String(decoding: line.value, as: UTF8.self)))
    }

    /// Looks at the fields that the connection itself goes by.
    private mutating func interpret(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws(RequestFault) {
        switch name.count {
        case 4 where Octet.matches(name, "host"):
            guard host == nil else { throw .malformed("There is more than one Host field.") }
            host = try Self.authority(value)
        case 6 where Octet.matches(name, "expect"):
            guard Octet.matches(value, "100-continue") else { throw .malformed("Expect can only be 100-continue.") }
            expectsContinue = true
        case 10 where Octet.matches(name, "connection"):
            for option in value.split(separator: Octet.comma) {
                let option = FieldList.trimmed(UnsafeRawBufferPointer(rebasing: option))
                if Octet.matches(option, "close") { wantsClose = true }
                if Octet.matches(option, "keep-alive") { wantsKeepAlive = true }
                if Octet.matches(option, "upgrade") { wantsUpgrade = true }
            }
        case 7 where Octet.matches(name, "upgrade"): if upgrade == nil { upgrade = Upgrade.protocolName(in: value) }
        case 14 where Octet.matches(name, "content-length"):
            guard contentLength == nil else { throw .malformed("There is more than one Content-Length field.") }
            contentLength = try FieldLine.contentLength(value)
        case 17 where Octet.matches(name, "transfer-encoding"):
            guard !isChunked, Octet.matches(value, "chunked") else { throw .malformed("Transfer-Encoding can only be chunked, once.") }
            isChunked = true
        default: break
        }
    }

    static func authority(_ value: some Collection<UInt8>) throws(RequestFault) -> String {
        guard !value.isEmpty, value.count <= 300, value.allSatisfy(Octet.isAuthority) else {
            throw .malformed("The host is no host with an optional port.")
        }
        return String(unsafeUninitializedCapacity: value.count) { buffer in
            var count = 0
            for octet in value {
                buffer[count] = Octet.lowercased(octet)
                count += 1
            }
            return count
        }
    }

    private mutating func head(method: HTTPMethod, target text: String, version: Request.Version) throws(RequestFault) -> RequestHead {
        let isHTTP11 = version != .http10
        guard host != nil || !isHTTP11 else { throw .malformed("The Host field is missing.") }
        // RFC 9112 §6.1: with both, an attempt at smuggling must be assumed; on HTTP/1.0 chunks don't exist.
        guard !isChunked || contentLength == nil else {
            throw .malformed("There are both Transfer-Encoding and Content-Length.")
        }
        guard !isChunked || isHTTP11 else { throw .malformed("HTTP/1.0 has no Transfer-Encoding.") }
        var authority = host ?? ""
        let target = try Self.target(text, method: method, authority: &authority)
        if authority != host ?? "" {
            // RFC 9112 §3.2.2: the absolute form wins, and what is passed on must say so too.
            fields.removeAll { Octet.equalIgnoringCase($0.0.utf8, "host") }
            fields.append(("Host", authority))
        }
        let framing: RequestHead.Framing =
            if isChunked { .chunked } else if let contentLength, contentLength > 0 { .length(contentLength) } else { .none }
        return RequestHead(
            method: method, target: target, version: version, headers: HTTPHeaders(fields), authority: authority, framing: framing,
            keepsAlive: !wantsClose && (isHTTP11 || wantsKeepAlive), expectsContinue: expectsContinue && isHTTP11,
            // RFC 9110 §7.8: not from HTTP/1.0, and after the whole body only. A request that asks for one and has a body goes without.
            upgrade: wantsUpgrade && isHTTP11 && framing == .none ? upgrade : nil)
    }

    /// The four forms of RFC 9112 §3.2, of which authority form (`CONNECT`) is refused.
    private static func target(
        _ text: String, method: HTTPMethod, authority: inout String
    ) throws(RequestFault) -> RequestHead.Target {
        if text.utf8.first == UInt8(ascii: "/"), let target = RequestTarget(text) { return .origin(target) }
        if text == "*", method == .OPTIONS { return .asterisk }
        for scheme in ["http://", "https://"] where Octet.equalIgnoringCase(text.utf8.prefix(scheme.utf8.count), scheme) {
            let rest = text.utf8.dropFirst(scheme.utf8.count)
            let end = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
            authority = try Self.authority(rest[..<end])
            let path = rest[end...]
            let origin = (path.first == UInt8(ascii: "/") ? "" : "/") + String(Substring(path))
            if let target = RequestTarget(origin) { return .origin(target) }
        }
        throw .malformed("The request target is neither a path nor an absolute URL.")
    }
}

extension Octet {
    /// `other` is lower-case ASCII.
    static func equalIgnoringCase(_ octets: some Sequence<UInt8>, _ other: String) -> Bool {
        octets.lazy.map(lowercased).elementsEqual(other.utf8)
    }
}
