import GateCore
import NIOCore

/// The place of one connection among all of the server, from its first moment to its last. Used on its event loop only.
final class Admission {
    private let loop: LoopContext
    private var isWithinLimits: Bool?
    private var peer: IPAddress?
    private var entrant: Entrance.Entrant?

    init(_ loop: LoopContext) { self.loop = loop }

    /// Counts a new connection, the first time that this is called. False where it is one too many.
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
        entrant = loop.enter(channel, from: peer)
    }

    func endHandshake() {
        guard let entrant else { return }
        self.entrant = nil
        loop.leave(entrant)
    }
}
