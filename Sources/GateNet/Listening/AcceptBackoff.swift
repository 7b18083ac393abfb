import NIOCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Keeps a listener alive where accept(2) fails: out of descriptors or memory, it waits a little before the next try instead of
/// trying again at once, and has idle connections make room. Who waits in the backlog is served when there is.
final class AcceptBackoff: ChannelDuplexHandler {
    typealias InboundIn = any Channel
    typealias OutboundIn = Never

    private static let pause = TimeAmount.milliseconds(50)
    private let makeRoom: () -> Void
    private var isPausing = false
    private var isReadDue = false

    init(_ makeRoom: @escaping () -> Void) { self.makeRoom = makeRoom }

    func read(context: ChannelHandlerContext) {
        guard !isPausing else {
            isReadDue = true
            return
        }
        context.read()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let code = (error as? IOError)?.errnoCode, [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(code) else {
            // The connection was gone before it was accepted: no reason to pause, and none to stop listening.
            return
        }
        guard !isPausing else { return }
        isPausing = true
        makeRoom()
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.pause) { [self] in
            isPausing = false
            guard isReadDue else { return }
            isReadDue = false
            context.read()
        }
    }
}
