import GateCore
import NIOCore

/// What connections have in common, whatever version they speak: how they begin and end with their channel, and when they flush. Each is
/// the last handler of its channel, and confined to its event loop.
protocol HTTPConnection: ServedConnection, BodyCarrier, ChannelInboundHandler {
    var loop: LoopContext { get }
    var admission: Admission { get }
    /// `nil` before the handler is added, and after it is removed.
    var context: ChannelHandlerContext! { get set }
    var peer: IPAddress? { get set }
    var hasStarted: Bool { get set }
    /// Inside a read: what is written is flushed once at its end.
    var isInRead: Bool { get }
    var needsFlush: Bool { get set }

    /// The channel is active. Called once.
    /// - Parameter isWithinLimits: false for a connection too many, which is to be told so.
    func started(isWithinLimits: Bool)

    /// All that was written has been flushed, and is with the kernel as far as that takes it.
    func flushed()

    /// The channel is inactive, or left: lets go of everything. Called twice where it has been both.
    func ended()
}

extension HTTPConnection {
    var service: HTTPService { loop.service }
    var limits: ServerLimits { loop.service.configuration.limits }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { start() }
    }

    func channelActive(context: ChannelHandlerContext) {
        start()
        context.fireChannelActive()
    }

    private func start() {
        guard !hasStarted else { return }
        hasStarted = true
        // The channel remembers it; the context would ask the kernel.
        peer = context.channel.remoteAddress.flatMap(IPAddress.init(socketAddress:))
        let isWithinLimits = admission.enter(context.channel)
        loop.add(self)
        started(isWithinLimits: isWithinLimits)
    }

    func channelInactive(context: ChannelHandlerContext) {
        ended()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        ended()
        self.context = nil
    }

    func flushed() {}

    func flush() {
        needsFlush = true
        if !isInRead { flushIfNeeded() }
    }

    func flushIfNeeded() {
        guard needsFlush, let context else { return }
        needsFlush = false
        context.flush()
        flushed()
    }
}
