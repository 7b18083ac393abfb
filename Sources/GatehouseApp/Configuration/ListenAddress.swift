package import GateCore

/// Where a listener waits.
package enum ListenAddress: Hashable, Sendable, CustomStringConvertible {
    /// Port 0 lets the kernel choose.
    case tcp(IPAddress, port: Int)
    /// Every address of the machine: `:8080`.
    case anyAddress(port: Int)
    case unix(path: String)

    package var description: String {
        switch self {
        case .tcp(let address, let port): address.isIPv4 ? "\(address):\(port)" : "[\(address)]:\(port)"
        case .anyAddress(let port): ":\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    package var port: Int? {
        switch self {
        case .tcp(_, let port), .anyAddress(let port): port
        case .unix: nil
        }
    }

    /// The same address with another port; a Unix socket stays as it is.
    package func with(port: Int) -> ListenAddress {
        switch self {
        case .tcp(let address, _): .tcp(address, port: port)
        case .anyAddress: .anyAddress(port: port)
        case .unix: self
        }
    }

    /// Whether the two cannot be listened on at the same time: `:80` includes every address's port 80.
    func overlaps(_ other: ListenAddress) -> Bool {
        switch (self, other) {
        case (.anyAddress(let port), .tcp(_, let other)), (.tcp(_, let port), .anyAddress(let other)): port == other
        default: self == other
        }
    }

    init(_ text: String) throws(InvalidValue) {
        if text.hasPrefix("unix:") {
            self = .unix(path: try socketPath(String(text.dropFirst(5))))
            return
        }
        let forms = "write 127.0.0.1:8080, [::1]:8080, :8080 (every address) or unix:/path"
        guard let (host, port) = splitHostAndPort(text[...]), let port else {
            throw InvalidValue("has no valid port", cure: forms)
        }
        if host.isEmpty {
            self = .anyAddress(port: port)
        } else if let address = IPAddress(host), address.isIPv4 || host.hasPrefix("[") {
            self = .tcp(address, port: port)
        } else if IPAddress(host) != nil {
            throw InvalidValue("has an IPv6 address without brackets", cure: "write [\(host)]:\(port)")
        } else {
            throw InvalidValue("\"\(host)\" is not an IP address", cure: forms)
        }
    }

    /// Whether nobody outside the machine or its private networks can reach it (RFC 1918, RFC 4193, RFC 6598, link-local).
    package var isPrivate: Bool {
        switch self {
        case .unix: true
        case .anyAddress: false
        case .tcp(let address, _): Self.privateNetworks.contains { $0.contains(address) }
        }
    }

    private static let privateNetworks = [
        "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "::1", "fc00::/7", "fe80::/10",
    ].map { IPNetwork($0)! }
}

/// The path of a Unix socket; `sockaddr_un` has room for 107 bytes, see unix(7).
func socketPath(_ path: String) throws(InvalidValue) -> String {
    guard !path.isEmpty else { throw InvalidValue("names no file", cure: "write unix:/path/to.sock") }
    guard path.utf8.count <= 107 else {
        throw InvalidValue("is longer than the 107 bytes that a Unix socket's path may have", cure: "choose a shorter path")
    }
    return path
}
