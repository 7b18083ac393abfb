package import GateCore
import Glibc

/// The addresses of this machine's interfaces that are up, see getifaddrs(3).
package struct LocalAddresses: Hashable, Sendable {
    package var addresses: Set<IPAddress>

    package init(_ addresses: Set<IPAddress>) { self.addresses = addresses }

    package static func ofThisMachine() -> LocalAddresses {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return LocalAddresses([]) }
        defer { freeifaddrs(list) }
        var addresses: Set<IPAddress> = []
        for interface in sequence(first: list, next: { $0?.pointee.ifa_next }).compactMap({ $0 }) {
            guard interface.pointee.ifa_flags & UInt32(IFF_UP) != 0, let socketAddress = interface.pointee.ifa_addr else { continue }
            // By their places, in network order, see ip(7) and ipv6(7): the members of these structures belong to another module here.
            let bytes = UnsafeRawPointer(socketAddress)
            switch Int32(bytes.loadUnaligned(as: sa_family_t.self)) {
            case AF_INET:
                addresses.insert(IPAddress(ipv4: UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))))
            case AF_INET6:
                addresses.insert(
                    IPAddress(
                        high: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
                        low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))))
            default: continue
            }
        }
        return LocalAddresses(addresses)
    }

    /// All of 127.0.0.0/8 leads here, though one of its addresses is an interface's.
    package func contains(_ address: IPAddress) -> Bool {
        addresses.contains(address) || IPNetwork("127.0.0.0/8")!.contains(address) || address == IPAddress("::1")
    }

    /// Those that the Internet can reach, of one family, in order of their text.
    package func publicAddresses(isIPv4: Bool) -> [IPAddress] {
        addresses.filter { $0.isIPv4 == isIPv4 && PublicInternet.contains($0) }.sorted { $0.description < $1.description }
    }
}

/// The part of the address space that is routed between networks.
enum PublicInternet {
    static func contains(_ address: IPAddress) -> Bool {
        address.isIPv4 ? !specialIPv4.contains { $0.contains(address) } : globalUnicast.contains(address)
    }

    /// RFC 6890; documentation's blocks are left in: examples are meant as if they were real.
    private static let specialIPv4 = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16",
        "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4",
    ].map { IPNetwork($0)! }
    private static let globalUnicast = IPNetwork("2000::/3")!
}
