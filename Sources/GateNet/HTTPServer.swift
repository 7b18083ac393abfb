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
    let group: any EventLoopGroup
    let service: HTTPService
    let loops: LoopContexts
    let roomKeeper: RoomKeeper
    private let channels = Mutex<[any Channel]>([])

    package init(
        _ listeners: [Listener], configuration: HTTPServerConfiguration = HTTPServerConfiguration(), responder: any Responder,
        observer: any ExchangeObserver, group: any EventLoopGroup, time: any TimeSource = SystemTime(),
        entropy: any Entropy = SystemEntropy()
    ) {
        self.listeners = listeners
        self.group = group
        service = HTTPService(configuration: configuration, responder: responder, observer: observer, time: time)
        let loops = LoopContexts(group, idStart: entropy.uint64(), service: service)
        self.loops = loops
        roomKeeper = RoomKeeper(time) { loops.tell { $0.makeRoom() } }
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
                let address = try await bind(listener) { channel in channels.withLock { $0.append(channel) } }
                bound.append(BoundAddress(listener: listener.address, host: address?.ipAddress, port: address?.port))
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

    private struct OneTooMany: Error {}

    /// Leads a new connection to HTTP. Nothing in it waits: a future for each step was a good part of what accepting cost.
    static func lead(_ channel: any Channel, through decorator: (any ConnectionDecorator)?, _ loop: LoopContext) throws {
        if let options = channel.syncOptions {
            // Reads happen when the connection asks for them: that is the back-pressure. TCP_NODELAY comes from the listening socket, on
            // which NIO sets it.
            try options.setOption(.autoRead, value: false)
            try options.setOption(.maxMessagesPerRead, value: 1)
            try options.setOption(.allowRemoteHalfClosure, value: true)
            // What malloc(3) hands out without a look at its heap: up to 1032 bytes.
            try options.setOption(.recvAllocator, value: ReceiveSize(initial: 1024))
        }
        let admission = Admission(loop)
        guard let decorator else {
            try serve(channel, .http1, .http, loop, admission)
            return
        }
        let bound = NIOLoopBound((loop, admission), eventLoop: channel.eventLoop)
        // One too many is closed without a word: a handshake only to say so is what it costs to serve it.
        guard admission.enter(channel) else { throw OneTooMany() }
        admission.beginHandshake(channel)
        try decorator.decorate(channel, onLoop: loop.number) { applicationProtocol in
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
}
