import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1

/// One connection that speaks HTTP/1.1: the last handler of its channel, on bytes, confined to the channel's event loop.
///
/// One exchange at a time: while one runs, at most ``readAhead`` bytes of what follows it are taken in (RFC 9112 §9.3.2).
final class HTTP1Connection: HTTPConnection {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Phase {
        /// Waits for a request, or for the rest of its head.
        case head
        /// From the head of a request to the end of its response.
        case exchange
        /// After an upgrade: what comes is another protocol's, and goes to the exchange's tunnel.
        case tunnel
        /// The response is out; what nobody read of the request's body is dropped, so that the next request can be found.
        case draining(Int)
        /// The last response is on its way, or out. What still comes is dropped: a socket closed over unread bytes sends a reset,
        /// and the client might lose the response over it (RFC 9112 §9.6).
        case closing(lingers: Bool)
        case closed
    }

    /// Read beyond what was asked for, in bytes. Reading on a little while an exchange runs is how a client's going away is noticed.
    static let readAhead = 16 << 10

    let loop: LoopContext
    let scheme: Request.Scheme
    var slot: Int?
    var context: ChannelHandlerContext!
    var reader: RequestReader
    var phase = Phase.head
    var current: CurrentExchange?
    var exchangeCount: UInt64 = 0
    var peer: IPAddress?
    /// The client has closed its side.
    var inputEnded = false
    /// The first byte of a request is there. On a new connection the deadline runs from its beginning.
    var isReadingHead = true
    /// The client may still be sending, whatever has come so far.
    var alwaysLingers = false
    var isInRead = false
    /// The channel has been asked for more, and has not read since.
    private var isReadAsked = false
    private(set) var isWritable = true
    /// Requests that had come when the deadlines were last looked at.
    var countAtCheck: UInt64 = 0
    var needsFlush = false
    var readDeadline: MonotonicInstant?
    var writeDeadline: MonotonicInstant?
    var pendingWrites = 0
    /// The exchange whose whole response is written and not flushed yet, and where it stands: see ``flushed()``.
    var unconfirmed: (exchange: CurrentExchange, output: LoopContext.OutputStorage)?
    /// What waited to be written when the write deadline was set.
    var bufferedAtDeadline = 0
    /// It is us who end the connection.
    private var isCutOff = false
    var hasStarted = false
    let admission: Admission

    init(loop: LoopContext, scheme: Request.Scheme, admission: Admission) {
        self.admission = admission
        self.loop = loop
        self.scheme = scheme
        reader = RequestReader(limits: loop.service.configuration.limits)
    }

    func started(isWithinLimits: Bool) {
        isWritable = context.channel.isWritable
        readDeadline = service.monotonic() + limits.headTime
        guard isWithinLimits else {
            refuse(.overloaded("There are too many connections."))
            return
        }
        if loop.isStopping { stop() }
        readOn()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isInRead = true
        switch phase {
        case .closing, .closed: break
        default:
            var bytes = unwrapInboundIn(data)
            reader.append(&bytes)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReadAsked = false
        isInRead = true
        advance()
        isInRead = false
        flushIfNeeded()
        readOn()
    }

    /// Goes on with what there is, as far as it goes.
    func advance() {
        while true {
            switch phase {
            case .head:
                guard isWritable || relieve() else { return }
                guard let head = nextHead() else { return }
                begin(head)
            case .exchange:
                feedBody()
                if case .exchange = phase { return }
            case .tunnel:
                feedBody()
                return
            case .draining(let soFar):
                guard drain(soFar) else { return }
            case .closing, .closed: return
            }
        }
    }

    private func nextHead() -> RequestHead? {
        let before = reader.bufferedBytes
        do throws(RequestFault) {
            if let head = try reader.nextHead() { return head }
            if before > 0, current == nil, !isReadingHead {
                isReadingHead = true
                readDeadline = service.monotonic() + limits.headTime
            }
        } catch {
            refuse(error)
        }
        return nil
    }

    /// Sends what has gathered; whether there is room again.
    private func relieve() -> Bool {
        flushIfNeeded()
        return isWritable
    }

    /// Asks for more where more can be used.
    func readOn() {
        guard !isReadAsked, !inputEnded else { return }
        switch phase {
        case .head where isWritable, .draining, .closing: break
        case .exchange where reader.bufferedBytes < Self.readAhead, .tunnel where reader.bufferedBytes < Self.readAhead: break
        default: return
        }
        isReadAsked = true
        context.read()
    }

    /// Takes up work outside of a read: after a response that came later.
    func resume() {
        guard !isInRead else { return }
        isInRead = true
        advance()
        isInRead = false
        flushIfNeeded()
        readOn()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        if !needsFlush { flushed() }
        if isWritable {
            if let writer = current?.bodyWriter {
                current?.bodyWriter = nil
                writeDeadline = nil
                writer(.success(()))
            }
            resume()
        }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        inputEnded = true
        switch phase {
        case .exchange:
            feedBody()
            current?.cancel()
        case .tunnel: feedBody()
        case .closing where pendingWrites > 0, .closed: break
        default: close(lingers: false)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { cutOff() }

    /// Lets go of everything; the last thing that happens to a connection.
    func ended() {
        if case .closed = phase { return }
        phase = .closed
        guard hasStarted else { return }
        readDeadline = nil
        writeDeadline = nil
        loop.remove(self)
        if let unconfirmed { tell(of: unconfirmed.exchange, isAborted: true) }
        unconfirmed = nil
        guard !hasEndedTunnel else {
            inputEnded = true
            feedBody()
            return
        }
        abortExchange()
        reader.discardBuffered()
    }

    /// Of a channel whose output is closed NIO tells no end of the input: it closes it as a whole then.
    private var hasEndedTunnel: Bool { current?.tunnel == .ended && !isCutOff }

    func abortExchange() {
        guard let exchange = current else { return }
        current = nil
        exchange.abandon()
        service.observer.finished(exchange.finished(at: service.monotonic(), isAborted: true))
    }

    /// Closes without another word.
    func cutOff() {
        if case .closed = phase { return }
        isCutOff = true
        // TLS must not end as a whole what is not.
        if current != nil || pendingWrites > 0 { context.triggerUserOutboundEvent(AbortiveClose(), promise: nil) }
        context.close(promise: nil)
    }

    func stop() {
        // A tunnel has no end of its own to wait for: its user is told, and has until the server cuts it off.
        if case .tunnel = phase { current?.task?.cancel() }
        guard case .head = phase, reader.bufferedBytes == 0 else { return }
        let end = service.monotonic() + limits.stopTime
        readDeadline = readDeadline.map { min($0, end) } ?? end
    }

    /// How long the next request may be waited for.
    var idleTime: Duration { loop.isStopping ? limits.stopTime : limits.keepAliveTime }

    func makeRoom() {
        if isIdle, exchangeCount > 0 { cutOff() }
    }

    /// Nothing is asked, nothing owed.
    var isIdle: Bool {
        if case .head = phase { reader.bufferedBytes == 0 && pendingWrites == 0 } else { false }
    }
}
