import GateCore

/// A web origin (RFC 6454): scheme, host and port. It prints as browsers send it in `Origin`: lower case, the scheme's own port
/// left out, no path.
package struct WebOrigin: Hashable, Sendable, CustomStringConvertible {
    package enum Scheme: String, Sendable {
        case http, https

        package var defaultPort: Int { self == .http ? 80 : 443 }
    }

    package let scheme: Scheme
    /// A name or an IPv4 address in lower case, or an IPv6 address in brackets.
    package let host: String
    package let port: Int

    package init(scheme: Scheme, host: String, port: Int) {
        self.scheme = scheme
        self.host = host
        self.port = port
    }

    package var description: String {
        port == scheme.defaultPort ? "\(scheme.rawValue)://\(host)" : "\(scheme.rawValue)://\(host):\(port)"
    }

    /// - Parameter trailingSlash: whether one `/` at the end, as in an address bar, is overlooked.
    init(_ text: String, trailingSlash: Bool = false) throws(InvalidValue) {
        let example = "such as https://app.example.com"
        guard text != "null" else {
            throw InvalidValue("\"null\" is sent by any sandboxed page", cure: "name the exact origin, \(example)")
        }
        guard !text.contains("*") else {
            throw InvalidValue("wildcards are not accepted: credentials would go to every matching site", cure: "name each origin")
        }
        let lowered = text.lowercased()
        guard let scheme = [Scheme.https, .http].first(where: { lowered.hasPrefix($0.rawValue + "://") }) else {
            throw InvalidValue("does not begin with https:// or http://", cure: "write the whole address, \(example)")
        }
        var rest = lowered.dropFirst(scheme.rawValue.count + 3)
        if trailingSlash, rest.hasSuffix("/") { rest.removeLast() }
        guard !rest.contains(where: { $0 == "/" || $0 == "?" || $0 == "#" }) else {
            throw InvalidValue("has a path; only scheme, host and port count", cure: "leave out what follows the host")
        }
        guard !rest.contains("@") else { throw InvalidValue("holds a user name", cure: "leave it out") }
        guard let (host, port) = splitHostAndPort(rest) else {
            throw InvalidValue("has no valid port", cure: "write a number from 1 to 65535 after the colon, or nothing")
        }
        guard port != 0 else { throw InvalidValue("has port 0", cure: "write the port that clients use") }
        if host.hasPrefix("[") {
            guard let address = IPAddress(host), !address.isIPv4 else {
                throw InvalidValue("holds no valid IPv6 address", cure: "write it as in https://[2001:db8::1]")
            }
            self.host = "[\(address)]"
        } else {
            let isName = host.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
            }
            guard isName, !host.isEmpty, host.utf8.count <= 253, !host.hasPrefix("."), !host.contains("..") else {
                throw InvalidValue("has no valid host name", cure: "write names beyond ASCII in their xn-- form, \(example)")
            }
            self.host = String(host)
        }
        self.scheme = scheme
        self.port = port ?? scheme.defaultPort
    }
}

/// `host`, `host:port`, `[::1]`, `[::1]:port`; a bare IPv6 address without brackets has no port. `nil` where the port is none.
func splitHostAndPort(_ text: Substring) -> (host: Substring, port: Int?)? {
    let afterBracket = text.lastIndex(of: "]") ?? text.startIndex
    guard let colon = text[afterBracket...].lastIndex(of: ":") else { return (text, nil) }
    let digits = text[text.index(after: colon)...]
    guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(digits),
        port <= 65_535
    else { return nil }
    return (text[..<colon], port)
}
