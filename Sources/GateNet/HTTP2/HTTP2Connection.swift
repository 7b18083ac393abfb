import GateCore
import GateHTTP
import NIOCore
import NIOHPACK
import NIOHTTP1
import NIOHTTP2

/// One connection that speaks HTTP/2 (RFC 9113), on the frames of `NIOHTTP2Handler`, confined to the channel's event loop.
///
/// It works on frames, and not with a child channel for each stream as NIO's multiplexer offers: a channel with its pipeline, promises and
/// events for every request costs more than the request. Answering five bytes on two event loops, frames gave 100 to 163 k requests/s
/// and child channels 86 k (nginx with two workers 63 to 89 k; `h2load -n 100000 -c 32 -m 10 -t 2`, 4 cores shared with others, in turn). Framing,
/// HPACK, stream states, and flow control of what is sent stay NIO's.
final class HTTP2Connection: HTTPConnection {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    enum Phase {
        case open
        /// A GOAWAY that names no last stream is out (RFC 9113 §6.8), and a PING behind it: what the client began before it saw them
        /// is still answered.
        case goingAway
        /// The last stream has been named. Closes when no stream is left.
        case finishing
        /// Nothing is read any more; the client has a moment to read what is on its way.
        case closing
        case closed
    }

    /// Streams at once, and tasks at once: a stream that is reset is gone at once, the work that it set off may not be
    /// (CVE-2023-44487).
    static let concurrency = 100
    /// Malformed messages on one connection. As many stream errors are what NIO allows (`maximumConnectionGlitches`).
    static let malformedLimit = 200

    let loop: LoopContext
    let scheme: Request.Scheme
    var slot: Int?
    var context: ChannelHandlerContext!
    var phase = Phase.open
    var streams: [HTTP2StreamID: HTTP2Stream] = [:]
    /// Whose bodies might come in the same read, see ``HTTP2Stream/waiting``.
    var beginning: [HTTP2Stream] = []
    var lastStream = HTTP2StreamID.rootStream
    var requestCount = 0
    /// Tasks of exchanges that are running, those whose stream is gone among them.
    var runningTasks = 0
    var malformedMessages = 0
    var meter: HTTP2FrameMeter
    var encoder = HTTP2ResponseEncoder()
    var peer: IPAddress?
    /// What every request is refused with; `nil` on all but a connection too many.
    var refusal: RequestFault?
    /// The client has closed its side of the connection.
    var inputEnded = false
    /// `NIOHTTP2Handler` has ended the connection for an error.
    var hasFailed = false
    var hasSettings = false
    /// Of bodies that have come and were not asked for yet, in bytes.
    var heldBytes = 0
    /// What the client may send on all streams together, as `NIOHTTP2Handler` told last. RFC 9113 §6.9.2 has it begin so.
    var connectionWindow = 65_535

    /// Of all streams together, and of a stream that begins.
    var sendWindow = HTTP2SendWindow(HTTP2SendWindow.initial)
    var initialSendWindow = HTTP2SendWindow.initial
    /// The client has opened a window in this read.
    var hasWiderWindows = false
    var cut = HTTP2FrameCut()
    /// With content that waits for windows, in turn.
    var sending = CircularBuffer<HTTP2Stream>()

    var isInRead = false
    var needsFlush = false
    var isFlushScheduled = false
    /// For the first request, or the rest of a frame.
    var headDeadline: MonotonicInstant?
    var idleDeadline: MonotonicInstant?
    var closeDeadline: MonotonicInstant?
    var writeDeadline: MonotonicInstant?
    /// What waited to be written when the write deadline was set.
    var bufferedAtDeadline = 0
    var hasStarted = false
    let admission: Admission

    private init(loop: LoopContext, scheme: Request.Scheme, admission: Admission) {
        self.admission = admission
        self.loop = loop
        self.scheme = scheme
        meter = HTTP2FrameMeter(at: loop.service.monotonic())
    }

    /// Adds a connection at the end of `pipeline`.
    static func add(to pipeline: ChannelPipeline.SynchronousOperations, loop: LoopContext, scheme: Request.Scheme, admission: Admission)
        throws
    {
        let connection = HTTP2Connection(loop: loop, scheme: scheme, admission: admission)
        try pipeline.addHandler(HTTP2Inlet(connection))
        try pipeline.addHandler(HTTP2Framing.handler(delegate: connection, limits: loop.service.configuration.limits))
        try pipeline.addHandler(connection)
    }

    func started(isWithinLimits: Bool) {
        headDeadline = service.monotonic() + limits.headTime
        if !isWithinLimits { refusal = .overloaded("There are too many connections.") }
        if loop.isStopping { stop() }
        context.read()
    }

    /// Whether bytes are to be read; called with all that come.
    func admit(_ bytes: ByteBuffer) -> Bool {
        switch phase {
        case .closing, .closed: return false
        case .open, .goingAway, .finishing: break
        }
        let now = service.monotonic()
        guard bytes.withUnsafeReadableBytes({ meter.take($0, at: now) }) == .fine else {
            fail(.enhanceYourCalm)
            return false
        }
        return true
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isInRead = true
        switch phase {
        case .closing, .closed: return
        case .open, .goingAway, .finishing: break
        }
        let frame = unwrapInboundIn(data)
        noteWindows(frame)
        switch frame.payload {
        case .headers(let head): takeHeaders(head.headers, isEnd: head.endStream, of: frame.streamID)
        case .data(let part): takeData(part, of: frame.streamID)
        case .settings(.settings) where !hasSettings:
            hasSettings = true
            openConnectionWindow()
        case .ping(HTTP2Framing.farewell, ack: true): finishGoingAway()
        case .goAway: clientGoesAway()
        default: break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isInRead = true
        beginWaiting()
        if hasWiderWindows {
            hasWiderWindows = false
            sendWaiting()
        }
        if loop.isStopping, hasSettings { goAway() }
        isInRead = false
        if !meter.isWithinFrame {
            if requestCount > 0 { headDeadline = nil }
        } else if headDeadline == nil {
            headDeadline = service.monotonic() + limits.headTime
        }
        flushIfNeeded()
        readOn()
    }

    /// Asks for more, unless the client does not take what it has asked for already. Asking twice costs nothing.
    func readOn() {
        guard !inputEnded, let context, context.channel.isWritable || isClosing else { return }
        context.read()
    }

    func write(_ payload: HTTP2Frame.FramePayload, on stream: HTTP2StreamID, promise: EventLoopPromise<Void>? = nil) {
        guard let context else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        needsFlush = true
        context.write(wrapOutboundOut(HTTP2Frame(streamID: stream, payload: payload)), promise: promise)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            writeDeadline = nil
            readOn()
        }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let event as NIOHTTP2WindowUpdatedEvent: windowChanged(event)
        case let event as StreamClosedEvent: streamClosed(event)
        case is NIOHTTP2StreamCreatedEvent: break
        case ChannelEvent.inputClosed as ChannelEvent: inputClosed()
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    private func inputClosed() {
        inputEnded = true
        guard !streams.isEmpty, !isClosing else {
            cutOff()
            return
        }
        // What has been asked for may still be read.
        phase = .finishing
        for stream in Array(streams.values) {
            stream.exchange.cancel()
            feedBody(stream)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // What concerns one stream only comes as its own event, see streamClosed(_:).
        if hasFailed {
            close(lingers: true)
        } else if !(error is any NIOHTTP2Error), !(error is NIOHTTP2Errors.StreamError) {
            cutOff()
        }
    }

    /// Lets go of everything; the last thing that happens to a connection.
    func ended() {
        if case .closed = phase { return }
        phase = .closed
        guard hasStarted else { return }
        loop.remove(self)
        abortAll()
        // Last, since a stopping server waits for it: by then the observer has heard of everything.
    }

    /// Closes without another word.
    func cutOff() {
        if case .closed = phase { return }
        sayBroken()
        context?.close(promise: nil)
    }

    /// TLS must not end as a whole what is not: an answer is still owed.
    func sayBroken() {
        guard streams.values.contains(where: { !$0.isAnswered }) else { return }
        context?.triggerUserOutboundEvent(AbortiveClose(), promise: nil)
    }

    var isClosing: Bool {
        switch phase {
        case .closing, .closed: true
        case .open, .goingAway, .finishing: false
        }
    }
}
