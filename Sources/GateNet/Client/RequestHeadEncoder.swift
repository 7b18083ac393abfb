import NIOCore
import NIOHTTP1

/// Writes the head of a request (RFC 9112 §3).
enum RequestHeadEncoder {
    enum Framing: Hashable {
        case none
        case length(Int)
        case chunked
    }

    /// False where it would not be read as what it is: a method that is no token, or a field with a line break or control character in
    /// it. `head` is in no defined state then.
    static func encode(
        _ method: HTTPMethod, target: String, authority: String, headers: HTTPHeaders, framing: Framing, into head: inout ByteBuffer
    ) -> Bool {
        let method = method.rawValue
        guard !method.isEmpty, method.utf8.allSatisfy(Octet.isToken), target.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            return false
        }
        head.writeString(method)
        head.writeStaticString(" ")
        head.writeString(target)
        head.writeStaticString(" HTTP/1.1\r\nHost: ")
        guard authority.utf8.allSatisfy(Octet.isAuthority) else { return false }
        head.writeString(authority)
        head.writeStaticString("\r\n")
        switch framing {
        case .none: break
        case .length(let length):
            head.writeStaticString("Content-Length: ")
            head.writeString(String(length))
            head.writeStaticString("\r\n")
        case .chunked: head.writeStaticString("Transfer-Encoding: chunked\r\n")
        }
        for (name, value) in headers where !isOurs(name) {
            guard !name.isEmpty, name.utf8.allSatisfy(Octet.isToken), value.utf8.allSatisfy(Octet.isFieldContent) else { return false }
            head.writeString(name)
            head.writeStaticString(": ")
            head.writeString(value)
            head.writeStaticString("\r\n")
        }
        head.writeStaticString("\r\n")
        return true
    }

    /// A body of no bytes is announced where the method is one that means something by its body (RFC 9110 §8.6).
    static func framing(_ method: HTTPMethod, length: Int?) -> Framing {
        switch length {
        case nil: .chunked
        case 0: method == .POST || method == .PUT || method == .PATCH ? .length(0) : .none
        case let length?: .length(length)
        }
    }

    /// Fields that say how this connection carries the request: only the client knows.
    private static func isOurs(_ name: String) -> Bool {
        switch name.utf8.count {
        case 4: Octet.equalIgnoringCase(name.utf8, "host")
        case 10: Octet.equalIgnoringCase(name.utf8, "connection") || Octet.equalIgnoringCase(name.utf8, "keep-alive")
        case 14: Octet.equalIgnoringCase(name.utf8, "content-length")
        case 17: Octet.equalIgnoringCase(name.utf8, "transfer-encoding")
        default: false
        }
    }
}
