import GateHTTP
import NIOCore
import NIOHTTP1

/// Writes the head of a request (RFC 9112 §3), in one go into memory that is known to suffice.
enum RequestHeadEncoder {
    private enum Framing {
        case none
        case length(Int)
        case chunked
    }

    /// False where it would not be read as what it is: a method that is no token, or a field with a line break or control character in
    /// it. Nothing has been written then.
    /// - Parameter authority: what `Host` says.
    static func encode(_ request: StreamedRequest, authority: String, into head: inout ByteBuffer) -> Bool {
        let method = request.method.rawValue
        var size = fixedSize + method.utf8.count + request.target.utf8.count + authority.utf8.count + request.encodedFields.count
        if let upgrade = request.upgrade { size += upgrade.utf8.count }
        for (name, value) in request.headers { size += name.utf8.count + value.utf8.count + 4 }
        var isSound = false
        head.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { target in
            var octets = OctetWriter(target)
            isSound = write(request, method, authority, &octets)
            return isSound ? octets.count : 0
        }
        return isSound
    }

    /// More than the lines that are ours take without what they hold of the request's.
    private static let fixedSize = 256

    @inline(__always)
    private static func write(_ request: StreamedRequest, _ method: String, _ authority: String, _ octets: inout OctetWriter) -> Bool {
        guard !method.isEmpty, octets.write(method, where: Octet.isToken) else { return false }
        octets.write(" ")
        guard octets.write(request.target, where: { $0 > 0x20 && $0 < 0x7F }) else { return false }
        octets.write(" HTTP/1.1\r\nHost: ")
        guard octets.write(authority, where: Octet.isAuthority) else { return false }
        octets.write("\r\n")
        for (name, value) in request.headers where !isOurs(name) {
            guard !name.isEmpty, octets.write(name, where: Octet.isToken) else { return false }
            octets.write(": ")
            guard octets.write(fieldContent: value) else { return false }
            octets.write("\r\n")
        }
        octets.write(request.encodedFields.first)
        octets.write(request.encodedFields.second)
        octets.write(request.encodedFields.rest)
        switch framing(of: request) {
        case .none: break
        case .length(let length):
            octets.write("Content-Length: ")
            octets.writeDecimal(length)
            octets.write("\r\n")
        case .chunked: octets.write("Transfer-Encoding: chunked\r\n")
        }
        if request.expectsContinue { octets.write("Expect: 100-continue\r\n") }
        if request.acceptsTrailers { octets.write("TE: trailers\r\n") }
        if let upgrade = request.upgrade {
            octets.write(request.acceptsTrailers ? "Connection: upgrade, TE\r\nUpgrade: " : "Connection: upgrade\r\nUpgrade: ")
            guard !upgrade.isEmpty, octets.write(upgrade, where: { Octet.isToken($0) || $0 == UInt8(ascii: "/") }) else { return false }
            octets.write("\r\n")
        } else if request.acceptsTrailers {
            octets.write("Connection: TE\r\n")
        }
        octets.write("\r\n")
        return true
    }

    /// A body of no bytes is announced where the method is one that means something by its body (RFC 9110 §8.6).
    private static func framing(of request: StreamedRequest) -> Framing {
        switch (request.bodyLength, request.method) {
        case (nil, _): .chunked
        case (0, .POST), (0, .PUT), (0, .PATCH): .length(0)
        case (0, _): .none
        case (let length?, _): .length(length)
        }
    }

    /// Fields that say how this connection carries the request: only the client knows.
    private static func isOurs(_ name: String) -> Bool {
        switch name.utf8.count {
        case 2: Octet.equalIgnoringCase(name.utf8, "te")
        case 4: Octet.equalIgnoringCase(name.utf8, "host")
        case 6: Octet.equalIgnoringCase(name.utf8, "expect")
        case 7: Octet.equalIgnoringCase(name.utf8, "upgrade")
        case 10: Octet.equalIgnoringCase(name.utf8, "connection") || Octet.equalIgnoringCase(name.utf8, "keep-alive")
        case 14: Octet.equalIgnoringCase(name.utf8, "content-length")
        case 16: Octet.equalIgnoringCase(name.utf8, "proxy-connection")
        case 17: Octet.equalIgnoringCase(name.utf8, "transfer-encoding")
        default: false
        }
    }
}
