import GateHTTP
import NIOHPACK
import NIOHTTP1

/// Makes the head of a request out of a field section (RFC 9113 §8.3), by the same rules as ``RequestFields`` reads HTTP/1.1.
///
/// What RFC 9113 §8 calls malformed is refused by then, see ``HTTP2MessageForm``. Here is what goes by our own rules, and what a reader of
/// HTTP/1 behind us could take amiss (CHECKLIST 33).
struct HTTP2RequestHead {
    let limits: ServerLimits
    private var method: HTTPMethod?
    private var scheme: String?
    private var path: String?
    private var authority: String?
    private var host: String?
    private var cookie: String?
    private var upgrade: String?
    private var contentLength: Int?
    private var expectsContinue = false
    private var size = 0
    private var fields: [(String, String)] = []

    init(limits: ServerLimits) { self.limits = limits }

    /// - Parameter isComplete: no body follows.
    mutating func parse(_ block: HPACKHeaders, isComplete: Bool) throws(RequestFault) -> RequestHead {
        fields.reserveCapacity(block.count)
        var count = 0
        for (name, value, _) in block {
            let length = name.utf8.count + value.utf8.count + 4
            guard length <= limits.fieldSize else { throw .headersTooLarge("A header field may have \(limits.fieldSize) bytes.") }
            size += length
            guard size <= limits.headSize else {
                throw .headersTooLarge("The request line and the header fields may have \(limits.headSize) bytes together.")
            }
            if name.utf8.first == Octet.colon {
                try takePseudo(name, value)
            } else {
                count += 1
                guard count <= limits.fieldCount else { throw .headersTooLarge("There may be \(limits.fieldCount) header fields.") }
                try take(name, value)
            }
        }
        return try head(isComplete: isComplete)
    }

    private mutating func takePseudo(_ name: String, _ value: String) throws(RequestFault) {
        switch name {
        case ":method" where method == nil:
            guard value != "GET" else {
                method = .GET
                return
            }
            guard !value.isEmpty, value.utf8.count <= 32, value.utf8.allSatisfy(Octet.isToken) else {
                throw .malformed("The method is no token.")
            }
            method = HTTPMethod(rawValue: value)
        case ":scheme" where scheme == nil: scheme = value
        case ":path" where path == nil: path = value
        case ":authority" where authority == nil: authority = try RequestFields.authority(value.utf8)
        case ":protocol" where upgrade == nil:
            guard Upgrade.isProtocol(value.utf8) else { throw .malformed("The :protocol is no token.") }
            upgrade = value.lowercased()
        default: throw .malformed("A pseudo-header field is unknown, or there twice.")
        }
    }

    private mutating func take(_ name: String, _ value: String) throws(RequestFault) {
        let octets = value.utf8
        guard value.withOctets({ Octet.endOfFieldContent($0, from: 0) == $0.count }) ?? false else {
            throw .malformed("A header field holds a control character.")
        }
        if let first = octets.first, let last = octets.last {
            // RFC 9113 §8.2.1.
            guard first != Octet.space, first != Octet.tab, last != Octet.space, last != Octet.tab else {
                throw .malformed("The value of a header field begins or ends with white space.")
            }
        }
        switch name.utf8.count {
        case 4 where name == "host":
            guard host == nil else { throw .malformed("There is more than one Host field.") }
            host = try RequestFields.authority(octets)
            return
        case 6 where name == "cookie":
            // RFC 9113 §8.2.3: crumbs are put together before anybody else sees them.
            cookie = cookie.map { "\($0); \(value)" } ?? value
            return
        case 14 where name == "content-length":
            guard contentLength == nil else { throw .malformed("There is more than one Content-Length field.") }
            contentLength = try FieldLine.contentLength(octets)
        case 6 where name == "expect":
            guard octets.elementsEqual("100-continue".utf8, by: { Octet.lowercased($0) == $1 }) else {
                throw .malformed("Expect can only be 100-continue.")
            }
            expectsContinue = true
        default: break
        }
        fields.append((name, value))
    }

    private mutating func head(isComplete: Bool) throws(RequestFault) -> RequestHead {
        guard var method, let path, let scheme else { throw .malformed("A pseudo-header field is missing.") }
        if upgrade != nil {
            guard method == .CONNECT else { throw .malformed("Only CONNECT can have a :protocol.") }
            guard contentLength == nil else { throw .malformed("A tunnel has no Content-Length.") }
            // RFC 8441 §5: what is a GET with Upgrade on HTTP/1.1. Whoever looks at the method sees one and the same request.
            method = .GET
        } else if method == .CONNECT {
            throw .malformed("Tunnels to other servers are not to be had here.")
        }
        guard scheme == "https" || scheme == "http" else { throw .malformed("The scheme is neither https nor http.") }
        guard authority == nil || host == nil || authority == host else {
            throw .malformed("Host and :authority differ.")
        }
        guard let authority = authority ?? host else { throw .malformed("The :authority field is missing.") }
        guard !isComplete || contentLength ?? 0 == 0 else { throw .malformed("The body that Content-Length promises is missing.") }
        let target: RequestHead.Target
        if path == "*", method == .OPTIONS {
            target = .asterisk
        } else if let origin = RequestTarget(path) {
            target = .origin(origin)
        } else {
            throw .malformed("The :path is no path.")
        }
        // As RFC 9113 §8.3.1 has it for passing on to HTTP/1.1, so that nobody behind has to know how the request came.
        fields.append(("host", authority))
        if let cookie { fields.append(("cookie", cookie)) }
        let framing: RequestHead.Framing = isComplete || upgrade != nil ? .none : contentLength.map { .length($0) } ?? .chunked
        return RequestHead(
            method: method, target: target, version: .http2, headers: HTTPHeaders(fields), authority: authority, framing: framing,
            keepsAlive: true, expectsContinue: expectsContinue, upgrade: upgrade)
    }
}
