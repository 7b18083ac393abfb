import GateCore

/// An absolute `http` or `https` URL (RFC 9110 §4.2), as the outgoing client takes it: no user name, no fragment.
package struct HTTPURL: Hashable, Sendable, CustomStringConvertible {
    package let scheme: Request.Scheme
    /// A name or an IPv4 address in lower case, or an IPv6 address without its brackets.
    package let host: String
    package let port: Int
    package let target: RequestTarget

    package var defaultPort: Int { scheme == .http ? 80 : 443 }

    /// What `Host` says: with the port where it is not the scheme's own.
    package var authority: String {
        let written = host.contains(":") ? "[\(host)]" : host
        return port == defaultPort ? written : "\(written):\(port)"
    }

    package var description: String { "\(scheme.rawValue)://\(authority)\(target.raw)" }

    /// `nil` where `text` is no such URL: another scheme, user information, a host that is neither a name nor an address, port 0, a
    /// fragment, or a byte that RFC 3986 does not allow.
    package init?(_ text: String) {
        guard let separator = text.firstRange(of: "://"), let scheme = Request.Scheme(rawValue: text[..<separator.lowerBound].lowercased())
        else { return nil }
        let rest = text[separator.upperBound...]
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        var target = String(rest[end...])
        if !target.hasPrefix("/") { target = "/" + target }
        guard let parsed = RequestTarget(target), let (host, port) = Self.hostAndPort(rest[..<end].lowercased()) else { return nil }
        self.scheme = scheme
        self.host = host
        self.port = port ?? (scheme == .http ? 80 : 443)
        self.target = parsed
    }

    private static func hostAndPort(_ authority: String) -> (String, Int?)? {
        let afterBracket = authority.lastIndex(of: "]") ?? authority.startIndex
        var host = authority[...]
        var port: Int?
        if let colon = authority[afterBracket...].firstIndex(of: ":") {
            let digits = authority[authority.index(after: colon)...]
            guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let number = Int(digits), (1...65_535).contains(number)
            else { return nil }
            port = number
            host = authority[..<colon]
        }
        if host.hasPrefix("[") {
            guard host.hasSuffix("]"), let address = IPAddress(String(host.dropFirst().dropLast())), !address.isIPv4 else { return nil }
            return (address.description, port)
        }
        return HostName.isValid(host) ? (String(host), port) : nil
    }
}

/// Host names in their ASCII form (RFC 952, RFC 1123 §2.1; `_` occurs in practice).
package enum HostName {
    /// Whether `name` has 1 to 253 characters in labels of 1 to 63 letters, digits, `-` and `_`. An IPv4 address passes too.
    package static func isValid(_ name: some StringProtocol) -> Bool {
        guard (1...253).contains(name.utf8.count) else { return false }
        return name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.utf8.count)
                && label.utf8.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                        true
                    default: false
                    }
                }
        }
    }
}
