import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension HTTPServer {
    /// Listens on one address, and hands each listening channel to `keep` as soon as there is one. Returns the address of a network socket.
    ///
    /// A TCP address gets a socket for each event loop (`SO_REUSEPORT`, see socket(7)), among which the kernel deals out the
    /// connections: each is served where it was accepted. Handed from the loop that accepts to another, which has to be woken for it twice
    /// and finds nothing of it in its core's caches, a connection costs a tenth of a TLS handshake more. Who passes us a socket passes one.
    func bind(_ listener: Listener, keep: (any Channel) -> Void) async throws -> SocketAddress? {
        switch listener.address {
        case .tcp(let host, let port):
            let eventLoops = Array(group.makeIterator())
            let isIPv6 = host.contains(":")
            let first = try await bootstrap(listener, on: eventLoops[0], isIPv6: isIPv6).bind(host: host, port: port).get()
            keep(first)
            guard eventLoops.count > 1, let address = first.localAddress else { return first.localAddress }
            // Only now: bound without it, the first finds out whether somebody else is there, also another server of the same user.
            try await first.setOption(Self.portSharing, value: 1).get()
            for eventLoop in eventLoops.dropFirst() {
                let further = bootstrap(listener, on: eventLoop, isIPv6: isIPv6).serverChannelOption(Self.portSharing, value: 1)
                keep(try await further.bind(to: address).get())
            }
            return address
        case .unix(let path):
            let descriptor = try UnixSocketFile.listen(path, backlog: service.configuration.limits.backlog)
            keep(try await bootstrap(listener, on: group).withBoundSocket(descriptor).get())
            return nil
        case .descriptor(let descriptor):
            let channel = try await bootstrap(listener, on: group).withBoundSocket(descriptor).get()
            keep(channel)
            return channel.localAddress
        }
    }

    private static let portSharing = ChannelOptions.Types.SocketOption(level: .socket, name: NIOBSDSocket.Option(rawValue: SO_REUSEPORT))

    private func bootstrap(_ listener: Listener, on group: any EventLoopGroup, isIPv6: Bool = false) -> ServerBootstrap {
        let loops = loops
        let roomKeeper = roomKeeper
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: CInt(service.configuration.limits.backlog))
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.maxMessagesPerRead, value: 16)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptBackoff { roomKeeper.makeRoom() })
                }
            }
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try Self.lead(channel, through: listener.decorator, loops.context(of: channel.eventLoop))
                }
            }
        guard isIPv6 else { return bootstrap }
        // Else `[::]` would take the IPv4 port too, and `0.0.0.0` beside it would find it taken, see ipv6(7).
        return bootstrap.serverChannelOption(ChannelOptions.Types.SocketOption(level: .ipv6, name: .ipv6_v6only), value: 1)
    }
}
