import GateHTTP
import NIOHTTP1

/// The first line of a request (RFC 9112 §3).
struct RequestLine {
    let method: HTTPMethod
    /// As it was sent.
    let target: String
    let version: Request.Version

    /// - Parameters:
    ///   - bytes: a head that is complete, every line of it ending with CR LF.
    ///   - place: where the line ended, afterwards.
    init(_ bytes: UnsafeRawBufferPointer, _ place: inout Int) throws(RequestFault) {
        method = try Self.method(bytes, &place)
        let start = place
        while place < bytes.count, bytes[place] > 0x20, bytes[place] < 0x7F { place += 1 }
        target = String(decoding: UnsafeRawBufferPointer(rebasing: bytes[start..<place]), as: UTF8.self)
        version = try Self.version(bytes, &place)
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

    /// The target in one of the four forms of RFC 9112 §3.2, of which authority form (`CONNECT`) is refused. `authority` becomes what the
    /// absolute form names.
    func parsedTarget(authority: inout String) throws(RequestFault) -> RequestHead.Target {
        if target.utf8.first == UInt8(ascii: "/"), let target = RequestTarget(target) { return .origin(target) }
        if target == "*", method == .OPTIONS { return .asterisk }
        for scheme in ["http://", "https://"] where Octet.equalIgnoringCase(target.utf8.prefix(scheme.utf8.count), scheme) {
            let rest = target.utf8.dropFirst(scheme.utf8.count)
            let end = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
            authority = try RequestFields.authority(rest[..<end])
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
