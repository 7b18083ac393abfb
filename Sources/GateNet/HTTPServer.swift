package import GateCore
package import GateHTTP
package import NIOCore
import NIOPosix
import Synchronization

/// An HTTP server on one or several addresses: HTTP/1.1, and HTTP/2 where a listener's decorator asks for it.
///
/// Started once and stopped once. The event loops are the caller's, who shuts them down after the server.
package final class HTTPServer: Sendable {
    private let listeners: [Listener]
    private let group: any EventLoopGroup
    private let service: HTTPService
    private let loops: LoopContexts
    private let channels = Mutex<[any Channel]>([])

    package init(
        _ listeners: [Listener], configuration: HTTPServerConfiguration = HTTPServerConfiguration(), responder: any Responder,
        observer: any ExchangeObserver, group: any EventLoopGroup, time: any TimeSource = SystemTime(),
        entropy: any Entropy = SystemEntropy()
    ) {
        self.listeners = listeners
        self.group = group
        service = HTTPService(configuration: configuration, responder: responder, observer: observer, time: time)
        loops = LoopContexts(group, idStart: entropy.uint64(), service: service)
    }

    /// Connections that are open now, those about to be refused among them.
    package var openConnections: Int { service.population.count }

    /// Those of them that speak HTTP/2.
    package var openHTTP2Connections: Int { service.population.multiplexedCount }

    /// Listens on all addresses, or on none.
    ///
    /// - Throws: ``ListenError`` for the first address that cannot be listened on.
    package func start() async throws -> [BoundAddress] {
        var bound: [BoundAddress] = []
        for listener in listeners {
            do {
                let channel = try await bind(listener)
                channels.withLock { $0.append(channel) }
                bound.append(
                    BoundAddress(listener: listener.address, host: channel.localAddress?.ipAddress, port: channel.localAddress?.port))
            } catch {
                await closeListeners()
                throw ListenError(listener.address, error)
            }
        }
        return bound
    }

    /// Stops accepting, closes what is idle, and gives running exchanges `limit` to finish; what is open then is cut off.
    package func shutdownGracefully(within limit: Duration) async {
        await stopAccepting()
        await closeListeners()
        await loops.forEach { $0.stop() }
        let emptied = service.population.emptied()
        let deadline = group.next().scheduleTask(in: TimeAmount(limit)) { [loops] in
            loops.tell { $0.closeAll() }
        }
        await emptied.wait()
        deadline.cancel()
    }

    /// Lets connections that were accepted already arrive: NIO drops those that are still on their way when their listener closes.
    private func stopAccepting() async {
        let listening = channels.withLock { $0 }
        for channel in listening { try? await channel.setOption(.autoRead, value: false).get() }
        // From the listener's loop a connection goes to its own, back, and to its own again, where it begins.
        await loops.forEach { _ in }
        for channel in listening { try? await channel.eventLoop.submit {}.get() }
        await loops.forEach { _ in }
    }

    private func closeListeners() async {
        let open = channels.withLock { channels in
            defer { channels = [] }
            return channels
        }
        for channel in open { try? await channel.close() }
        for case .unix(let path) in listeners.map(\.address) where !open.isEmpty { try? UnixSocketFile.clear(path) }
    }

    /// Leads a new connection to HTTP. Nothing in it waits: a future for each step was a good part of what accepting cost.
    private static func lead(_ channel: any Channel, through decorator: (any ConnectionDecorator)?, _ loop: LoopContext) throws {
        if let options = channel.syncOptions {
            // Reads happen when the connection asks for them: that is the back-pressure. TCP_NODELAY comes from the listening socket, on
            // which NIO sets it.
            try options.setOption(.autoRead, value: false)
            try options.setOption(.allowRemoteHalfClosure, value: true)
            try options.setOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 2048, maximum: 64 << 10))
        }
        let admission = Admission(loop)
        guard let decorator else {
            try serve(channel, .http1, .http, loop, admission)
            return
        }
        let bound = NIOLoopBound((loop, admission), eventLoop: channel.eventLoop)
        try channel.pipeline.syncOperations.addHandler(Turnstile(admission))
        try decorator.decorate(channel) { applicationProtocol in
            let (loop, admission) = bound.value
            admission.endHandshake()
            try serve(channel, applicationProtocol, decorator.scheme, loop, admission)
        }
    }

    private static func serve(
        _ channel: any Channel, _ applicationProtocol: ApplicationProtocol, _ scheme: Request.Scheme, _ loop: LoopContext,
        _ admission: Admission
    ) throws {
        let pipeline = channel.pipeline.syncOperations
        switch applicationProtocol {
        case .http1: try pipeline.addHandler(HTTP1Connection(loop: loop, scheme: scheme, admission: admission))
        case .http2:
            let population = loop.service.population
            population.beginMultiplexing()
            channel.closeFuture.whenComplete { _ in population.endMultiplexing() }
            try HTTP2Connection.add(to: pipeline, loop: loop, scheme: scheme, admission: admission)
        }
    }

    private func bind(_ listener: Listener) async throws -> any Channel {
        let limits = service.configuration.limits
        let loops = loops
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: CInt(limits.backlog))
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.maxMessagesPerRead, value: 16)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptBackoff { loops.tell { $0.makeRoom() } })
                }
            }
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try Self.lead(channel, through: listener.decorator, loops.context(of: channel.eventLoop))
                }
            }
        switch listener.address {
        case .tcp(let host, let port):
            var bootstrap = bootstrap
            if host.contains(":") {
                // Else `[::]` would take the IPv4 port too, and `0.0.0.0` beside it would find it taken, see ipv6(7).
                bootstrap = bootstrap.serverChannelOption(
                    ChannelOptions.Types.SocketOption(level: .ipv6, name: .ipv6_v6only), value: 1)
            }
            return try await bootstrap.bind(host: host, port: port).get()
        case .unix(let path):
            return try await bootstrap.withBoundSocket(UnixSocketFile.listen(path, backlog: limits.backlog)).get()
        case .descriptor(let descriptor): return try await bootstrap.withBoundSocket(descriptor).get()
        }
    }
}
