import NIOCore

/// The contexts of all event loops of a server.
final class LoopContexts: Sendable {
    private let contexts: [ObjectIdentifier: NIOLoopBoundBox<LoopContext>]

    init(_ group: any EventLoopGroup, idStart: UInt64, service: HTTPService) {
        var contexts: [ObjectIdentifier: NIOLoopBoundBox<LoopContext>] = [:]
        let loops = Array(group.makeIterator())
        for (number, loop) in loops.enumerated() {
            contexts[ObjectIdentifier(loop)] = NIOLoopBoundBox.makeBoxSendingValue(
                LoopContext(loop, number: number, of: loops.count, idStart: idStart, service: service), eventLoop: loop)
        }
        self.contexts = contexts
    }

    /// To be called on `eventLoop`, one of the server's own.
    func context(of eventLoop: any EventLoop) -> LoopContext { contexts[ObjectIdentifier(eventLoop)]!.value }

    /// Does `work` on every loop, and returns at once.
    func tell(_ work: @escaping @Sendable (LoopContext) -> Void) {
        for context in contexts.values { context.eventLoop.execute { work(context.value) } }
    }

    /// Does `work` on every loop, and returns when all have done it.
    func forEach(_ work: @escaping @Sendable (LoopContext) -> Void) async {
        for context in contexts.values { try? await context.eventLoop.submit { work(context.value) }.get() }
    }
}
