import GateCore
import NIOCore
import NIOPosix
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The system's resolver, getaddrinfo(3), with all that `/etc/hosts`, `/etc/resolv.conf` and `/etc/nsswitch.conf` say.
///
/// It blocks for as long as the name servers take, so it runs in a few threads of its own, made for the first name. What gathers behind
/// them is bounded.
final class SystemNameResolver: NameResolver {
    private enum State {
        case unused
        case running(NIOThreadPool)
        case shutDown
    }

    private let threads: Int
    private let state = Mutex(State.unused)
    private let waitingLimit: Int
    private let pending = Atomic<Int>(0)

    init(threads count: Int, waiting: Int) {
        threads = count
        waitingLimit = waiting
    }

    deinit { end()?.shutdownGracefully { _ in } }

    private func pool() -> NIOThreadPool? {
        state.withLock { state in
            switch state {
            case .running(let pool): return pool
            case .shutDown: return nil
            case .unused:
                let pool = NIOThreadPool(numberOfThreads: threads)
                pool.start()
                state = .running(pool)
                return pool
            }
        }
    }

    private func end() -> NIOThreadPool? {
        state.withLock { state in
            defer { state = .shutDown }
            return if case .running(let pool) = state { pool } else { nil }
        }
    }

    func addresses(of name: String, for lookup: NameLookup, on eventLoop: any EventLoop) -> EventLoopFuture<[IPAddress]> {
        guard let pool = pool() else {
            return eventLoop.makeFailedFuture(NameResolutionError(description: "the client has been shut down"))
        }
        guard pending.add(1, ordering: .relaxed).newValue <= waitingLimit else {
            pending.subtract(1, ordering: .relaxed)
            return eventLoop.makeFailedFuture(NameResolutionError(description: "too many names are being looked up already"))
        }
        return pool.runIfActive(eventLoop: eventLoop) {
            guard !lookup.isAbandoned else { throw NameResolutionError(description: "given up") }
            return try Self.lookUp(name)
        }.flatMapErrorThrowing { error in
            throw error as? NameResolutionError ?? NameResolutionError(description: "the client has been shut down")
        }.always { [self] _ in pending.subtract(1, ordering: .relaxed) }
    }

    func shutDown() async { try? await end()?.shutdownGracefully() }

    private static func lookUp(_ name: String) throws(NameResolutionError) -> [IPAddress] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        // Not AI_ADDRCONFIG: it takes a machine that has nothing but loopback for one without addresses. A family that is missing
        // fails at once in connect(2).
        var first: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(name, nil, &hints, &first)
        guard code == 0 else {
            throw NameResolutionError(
                description: code == EAI_SYSTEM ? String(cString: strerror(errno)) : String(cString: gai_strerror(code)))
        }
        defer { freeaddrinfo(first) }
        var addresses: [IPAddress] = []
        var next = first
        while let entry = next?.pointee {
            if let pointer = entry.ai_addr, let address = address(UnsafeRawBufferPointer(start: pointer, count: Int(entry.ai_addrlen))) {
                addresses.append(address)
            }
            next = entry.ai_next
        }
        guard !addresses.isEmpty else { throw NameResolutionError(description: "the name has no address") }
        return addresses
    }

    /// See ip(7) and ipv6(7): the address stands at byte 4 of sockaddr_in and at byte 8 of sockaddr_in6, in network order.
    private static func address(_ bytes: UnsafeRawBufferPointer) -> IPAddress? {
        switch Int32(bytes.load(as: sa_family_t.self)) {
        case AF_INET: IPAddress(ipv4: UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
        case AF_INET6:
            IPAddress(
                high: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
                low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)))
        default: nil
        }
    }
}
