import GateCore
import Glibc

/// Sockets that listen already when the process starts: systemd's, which go on listening while the server is restarted, see
/// sd_listen_fds(3).
struct InheritedSockets {
    struct Socket: Hashable {
        /// Its `FileDescriptorName=`.
        let name: String?
        let descriptor: Int32
        /// `nil` for a Unix socket.
        let address: IPAddress?
        let port: Int?
        /// The path of a Unix socket.
        let path: String?
        /// Whether it takes the connections of every IPv4 address too, see ipv6(7).
        let isDualStack: Bool
    }

    /// The number of the first one.
    static let first: Int32 = 3

    private var sockets: [Socket]

    /// - Throws: `CommandFailure` for a descriptor that is no listening stream socket.
    init(environment: [String: String], processID: Int32 = getpid(), first: Int32 = InheritedSockets.first) throws(CommandFailure) {
        sockets = []
        guard let meant = environment["LISTEN_PID"].flatMap(Int32.init), meant == processID,
            let count = environment["LISTEN_FDS"].flatMap(Int32.init), (1...1024).contains(count)
        else { return }
        let names = (environment["LISTEN_FDNAMES"] ?? "").split(separator: ":", omittingEmptySubsequences: false)
        for number in 0..<count {
            let descriptor = first + number
            let name = Int(number) < names.count ? String(names[Int(number)]) : nil
            guard let socket = Socket(descriptor, name: name) else {
                throw CommandFailure(
                    .configuration,
                    "Descriptor \(descriptor) that the service manager passed is no socket that listens: the units that start gatehouse "
                        + "need ListenStream=, and Accept=no.")
            }
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            sockets.append(socket)
        }
    }

    /// Those that nobody took.
    var left: [Socket] { sockets }

    /// Takes those that stand for any of `addresses`, so that they are not given out again. One of both protocols stands for `0.0.0.0`,
    /// `[::]` and every address at once.
    /// - Returns: beside them, the addresses that none is there for.
    mutating func take(for addresses: [ListenAddress]) -> (sockets: [Socket], others: [ListenAddress]) {
        let taken = sockets.filter { socket in addresses.contains { socket.isFor($0) } }
        sockets.removeAll { taken.contains($0) }
        return (taken, addresses.filter { address in !taken.contains { $0.isFor(address) } })
    }

    /// One that nobody took, and which keeps everybody else from listening on `address`: it has every address's port.
    func obstacle(to address: ListenAddress) -> Socket? {
        guard case .tcp(let own, let port) = address else { return nil }
        return sockets.first {
            $0.port == port && $0.address?.isUnspecified == true && ($0.isDualStack || $0.address?.isIPv4 == own.isIPv4)
        }
    }
}

extension IPAddress {
    /// `0.0.0.0` or `::`.
    fileprivate var isUnspecified: Bool { high == 0 && low == 0 }
}

extension InheritedSockets.Socket {
    fileprivate init?(_ descriptor: Int32, name: String?) {
        var listens: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0, listens == 1 else { return nil }
        var storage = sockaddr_storage()
        length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let isNamed = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) == 0 }
        }
        guard isNamed else { return nil }
        // See ip(7) and ipv6(7): the port at byte 2, the address at byte 4 or 8, in network order.
        let family = Int32(storage.ss_family)
        let (address, port, path): (IPAddress?, Int?, String?) = withUnsafeBytes(of: &storage) { bytes in
            func word<Word: FixedWidthInteger>(_ offset: Int, _: Word.Type = Word.self) -> Word {
                Word(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Word.self))
            }
            switch family {
            case AF_INET: return (IPAddress(ipv4: word(4)), Int(word(2, UInt16.self)), nil)
            case AF_INET6: return (IPAddress(high: word(8), low: word(16)), Int(word(2, UInt16.self)), nil)
            default: return (nil, nil, String(decoding: bytes[2..<Int(length)].prefix { $0 != 0 }, as: UTF8.self))
            }
        }
        guard address != nil || family == AF_UNIX else { return nil }
        var isIPv6Only: Int32 = 1
        length = socklen_t(MemoryLayout<Int32>.size)
        if family == AF_INET6 { getsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &isIPv6Only, &length) }
        self.name = name
        self.descriptor = descriptor
        self.address = address
        self.port = port
        self.path = path
        isDualStack = isIPv6Only == 0 && address?.isUnspecified == true
    }

    fileprivate func isFor(_ wanted: ListenAddress) -> Bool {
        switch wanted {
        case .tcp(let address, let port):
            self.port == port && (self.address == address || isDualStack && address.isUnspecified)
        case .anyAddress(let port): self.port == port && address?.isUnspecified == true
        case .unix(let path): self.path == path
        }
    }

    /// Its address, as it is written in a configuration.
    var description: String {
        if let path { return "unix:\(path)" }
        guard let address, let port else { return "descriptor \(descriptor)" }
        return ListenAddress.tcp(address, port: port).description
    }
}
