package import GateCore
import NIOCore

/// A name server's address.
package struct DNSServer: Hashable, Sendable, CustomStringConvertible {
    package let address: IPAddress
    package let port: Int

    package init(_ address: IPAddress, port: Int = 53) {
        self.address = address
        self.port = port
    }

    /// Reads `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1`, `[2001:db8::1]:5353`.
    package init?(_ text: String) {
        if let address = IPAddress(text) {
            self.init(address)
            return
        }
        guard let colon = text.lastIndex(of: ":"), let address = IPAddress(text[..<colon]), address.isIPv4 || text.hasPrefix("["),
            let port = UInt16(text[text.index(after: colon)...]), port > 0
        else { return nil }
        self.init(address, port: Int(port))
    }

    package var description: String {
        port == 53 ? address.description : address.isIPv4 ? "\(address):\(port)" : "[\(address)]:\(port)"
    }

    var socketAddress: SocketAddress {
        get throws { try SocketAddress(ipAddress: address.description, port: port) }
    }
}

/// The resolver's configuration, see resolv.conf(5).
package struct ResolverConfiguration: Hashable, Sendable {
    package var servers: [DNSServer]
    /// For one try of one server.
    package var timeLimit: Duration
    /// How often the servers are gone through.
    package var attempts: Int

    package init(servers: [DNSServer], timeLimit: Duration = .seconds(2), attempts: Int = 2) {
        self.servers = servers
        self.timeLimit = timeLimit
        self.attempts = attempts
    }

    /// Reads the text of `/etc/resolv.conf`: the first three `nameserver` lines, `timeout` and `attempts`; without a server it is the one
    /// of this machine. What is not understood is passed over, as the C library does.
    package init(resolvConf text: String) {
        self.init(servers: [])
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard let keyword = words.first, !keyword.hasPrefix("#"), !keyword.hasPrefix(";") else { continue }
            if keyword == "nameserver", words.count > 1, servers.count < 3, let address = IPAddress(words[1]) {
                servers.append(DNSServer(address))
            } else if keyword == "options" {
                for option in words.dropFirst() {
                    let parts = option.split(separator: ":", maxSplits: 1)
                    guard parts.count == 2, let value = Int(parts[1]), value > 0 else { continue }
                    if parts[0] == "timeout" { timeLimit = .seconds(min(value, 30)) }
                    if parts[0] == "attempts" { attempts = min(value, 5) }
                }
            }
        }
        if servers.isEmpty { servers = [DNSServer(IPAddress(ipv4: 0x7F00_0001))] }
    }
}
