import GateCore
import NIOCore

extension IPAddress {
    /// `nil` for a Unix socket.
    init?(socketAddress: SocketAddress) {
        // See ip(7) and ipv6(7): the address stands at byte 4 of sockaddr_in and at byte 8 of sockaddr_in6, in network order.
        let address: IPAddress? = socketAddress.withSockAddr { pointer, size in
            let bytes = UnsafeRawBufferPointer(start: pointer, count: size)
            return switch socketAddress {
            case .v4: IPAddress(ipv4: UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
            case .v6:
                IPAddress(
                    high: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
                    low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)))
            case .unixDomainSocket: nil
            }
        }
        guard let address else { return nil }
        self = address
    }
}
