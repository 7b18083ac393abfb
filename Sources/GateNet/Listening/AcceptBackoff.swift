import NIOCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Keeps a listener alive where accept(2) fails: out of descriptors or memory, it waits a little before the next try instead of
/// trying again at once, and has idle connections make room. Who waits in the backlog is served when there is.
///
/// NIO's `AcceptBackoffHandler` holds back the next read. That does not help where the first accept(2) of a round fails: the read before
/// is then still pending, the listener stays readable, and the loop spins. Switching `autoRead` off takes it out of epoll.
final class AcceptBackoff: ChannelInboundHandler {
    typealias InboundIn = any Channel

    static let pause = TimeAmount.milliseconds(50)
    private let makeRoom: () -> Void
    private var isPausing = false

    init(_ makeRoom: @escaping () -> Void) { self.makeRoom = makeRoom }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let code = (error as? IOError)?.errnoCode, [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(code) else {
            // The connection was gone before it was accepted: no reason to pause, and none to stop listening.
            return
        }
        guard !isPausing, let options = context.channel.syncOptions else { return }
        isPausing = true
        try? options.setOption(.autoRead, value: false)
        makeRoom()
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.pause) { [self] in
            isPausing = false
            try? options.setOption(.autoRead, value: true)
        }
    }
}
