import GateCore
import NIOCore

/// The place of one connection among all of the server, from its first moment to its last. Used on its event loop only.
final class Admission {
    private let loop: LoopContext
    private var isWithinLimits: Bool?
    private var peer: IPAddress?
    private var entrant: Entrance.Entrant?
    private var isHandshaken = false

    init(_ loop: LoopContext) { self.loop = loop }

    /// Counts a connection that has become active, the first time that this is called. False where it is one too many.
    func enter(_ channel: any Channel) -> Bool {
        if let isWithinLimits { return isWithinLimits }
        let peer = channel.remoteAddress.flatMap(IPAddress.init(socketAddress:))
        self.peer = peer
        let population = loop.service.population
        let isWithin = population.enter(peer)
        isWithinLimits = isWithin
        // After everything that the connection's handlers do at its end: a stopping server waits for this.
        channel.closeFuture.assumeIsolated().whenComplete { [self] _ in
            endHandshake()
            population.leave(peer)
        }
        return isWithin
    }

    /// After ``enter(_:)``. From here to ``endHandshake()`` the connection is timed, and may have to go for others.
    func beginHandshake(_ channel: any Channel) {
        // A decorator that needs no bytes is done before its channel is active.
        if !isHandshaken { entrant = loop.enter(channel, from: peer) }
    }

    func endHandshake() {
        isHandshaken = true
        guard let entrant else { return }
        self.entrant = nil
        loop.leave(entrant)
    }
}

/// Lets connections in where something stands before HTTP, and then leaves the pipeline. One too many is closed without a word: a
/// handshake only to say so is what it costs to serve it.
final class Turnstile: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let admission: Admission

    init(_ admission: Admission) { self.admission = admission }

    func channelActive(context: ChannelHandlerContext) {
        guard admission.enter(context.channel) else {
            context.close(promise: nil)
            return
        }
        admission.beginHandshake(context.channel)
        context.fireChannelActive()
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }
}
