package import GateCore

/// Which addresses a request may reach.
///
/// It is asked about the address that is connected to, after its name has been resolved and for every connection: neither a name that
/// resolves to something else the second time nor a redirect gets around it.
package enum EgressRule: Hashable, Sendable {
    /// For targets that the operator configured.
    case any
    /// For targets that a user may name: addresses of the public Internet only.
    case `public`

    package func allows(_ address: IPAddress) -> Bool {
        switch self {
        case .any: true
        case .public: SpecialAddresses.isPublic(address)
        }
    }
}

/// The special-purpose address registries (RFC 6890, and what IANA has entered since), and what clouds answer instances' secrets on.
enum SpecialAddresses {
    private static func networks(_ texts: String...) -> [IPNetwork] { texts.map { IPNetwork($0)! } }

    private static let specialIPv4 = networks(
        "0.0.0.0/8",  // this network; 0.0.0.0 itself connects to loopback (RFC 1122 §3.2.1.3)
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",  // private (RFC 1918)
        "100.64.0.0/10",  // shared, behind carriers' NAT (RFC 6598); Alibaba's metadata are at 100.100.100.200
        "127.0.0.0/8",  // loopback
        "168.63.129.16",  // Azure's platform services, though it is a public address
        "169.254.0.0/16",  // link-local (RFC 3927), metadata of most clouds among them
        "192.0.0.0/24",  // IETF protocol assignments (RFC 6890); Oracle's metadata are at 192.0.0.192
        "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24",  // documentation (RFC 5737)
        "192.88.99.0/24",  // 6to4 relays (RFC 7526)
        "198.18.0.0/15",  // benchmarks (RFC 2544)
        "224.0.0.0/4",  // multicast (RFC 5771)
        "240.0.0.0/4")  // reserved, and broadcast (RFC 1112 §4, RFC 919)

    /// Global unicast as far as it has been given out (RFC 4291 §2.4). Loopback, unspecified, IPv4-compatible, unique local, link-local
    /// and multicast addresses all lie outside.
    private static let globalUnicast = IPNetwork("2000::/3")!
    private static let specialIPv6 = networks(
        "2001::/23",  // IETF protocol assignments (RFC 2928): Teredo, which carries an IPv4 address, ORCHID, benchmarks
        "2001:db8::/32", "3fff::/20",  // documentation (RFC 3849, RFC 9637)
        "2002::/16")  // 6to4 (RFC 3056), which carries an IPv4 address
    /// NAT64's well-known prefix (RFC 6052 §2.1): the lowest 32 bits are the IPv4 address that is reached. An instance without IPv4
    /// reaches the public IPv4 Internet through it.
    private static let translated = IPNetwork("64:ff9b::/96")!

    static func isPublic(_ address: IPAddress) -> Bool {
        // IPAddress has turned mapped addresses (::ffff:0:0/96) into IPv4 already.
        if address.isIPv4 { return !specialIPv4.contains { $0.contains(address) } }
        if translated.contains(address) { return isPublic(IPAddress(ipv4: UInt32(truncatingIfNeeded: address.low))) }
        return globalUnicast.contains(address) && !specialIPv6.contains { $0.contains(address) }
    }
}
