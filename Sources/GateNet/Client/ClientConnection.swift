import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1

/// One connection to a server: the last handler of its channel, on bytes, confined to the channel's event loop. Carries one exchange at a
/// time for the call that leased it, see ``ClientLoop``.
final class ClientConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    /// A part of a response's body, or its end.
    typealias PartResult = Result<ResponseBodyStream.Step, OutgoingError>

    enum Standing {
        case leased
        /// In the pool.
        case idle
        /// Its place in the pool has been given up.
        case gone
    }

    /// Read beyond what was asked for, in bytes.
    private static let readAhead = 16 << 10

    let loop: ClientLoop
    let host: ClientLoop.Pool.Host
    var standing = Standing.leased
    var state: ClientExchangeState
    private(set) var context: ChannelHandlerContext?
    /// Whose exchange it is at.
    var call: OutgoingCall?
    /// Why the exchange is over before its end.
    private(set) var failure: OutgoingError?
    /// Why nothing more will come; what has come may still be taken.
    private(set) var inputFailure: OutgoingError?
    private(set) var isInputEnded = false
    /// Whether the channel has been asked to read, and has not done so yet.
    private var isReading = false
    /// Whether anything of the request has left.
    var hasSent = false
    /// A part that came together with the head, in chunks.
    var ahead: ByteBuffer?
    var partWaiter: UnsafeContinuation<PartResult, Never>?
    /// The body of the request, until the server asks for it.
    var heldBody: (length: Int?, stream: any BodyStream)?
    /// What sends the body of the request, where that is a stream.
    var pump: Task<Void, Never>?
    var isBodyBegun = false
    var roomWaiter: UnsafeContinuation<Bool, Never>?
    /// How much of a streamed request is still owed; `nil` with chunks.
    var owedBytes: Int?
    /// Whether our direction of a tunnel has been ended.
    var isOutputFinished = false
    /// Whether the other direction has ended, and its reader knows.
    var isTunnelInputTaken = false

    init(loop: ClientLoop, host: ClientLoop.Pool.Host) {
        self.loop = loop
        self.host = host
        state = ClientExchangeState(limits: loop.settings.limits)
    }

    var destination: Destination { host.destination }

    /// Whether the request of the last exchange, which failed, may be sent again on another connection: this one had been kept, and was
    /// closed before any of it can have been processed, or matters.
    func isRetriable(_ request: StreamedRequest) -> Bool {
        state.count > 1 && !state.hasResponseBegun && !isBodyBegun && (!hasSent || request.mayResend)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    // MARK: The end

    /// What the exchange ends in, once the response has been taken to its end.
    func finish(staysOpen: Bool) {
        let call = call
        self.call = nil
        stopSending()
        if let call { loop.remove(call) }
        if staysOpen {
            loop.release(self)
        } else {
            close()
        }
    }

    /// Breaks the exchange off, and the connection with it.
    func fail(_ cause: OutgoingError) {
        guard failure == nil else { return }
        var error = cause
        error.progress = state.hasResponseBegun ? .responseBegun : hasSent ? .sent : .nothingSent
        error.isBodyBegun = isBodyBegun
        failure = error
        let (call, waiter) = (call, partWaiter)
        self.call = nil
        partWaiter = nil
        stopSending()
        // TLS must not end as a whole what is not.
        if call != nil { context?.triggerUserOutboundEvent(AbortiveClose(), promise: nil) }
        close()
        if let call { loop.fail(call, on: self, error) }
        waiter?.resume(returning: .failure(error))
    }

    /// A server that answered may go on reading what is sent, but nobody will read what it says to that.
    private func stopSending() {
        heldBody = nil
        pump?.cancel()
        pump = nil
        roomWaiter?.resume(returning: false)
        roomWaiter = nil
    }

    func close() {
        loop.leave(self)
        context?.close(promise: nil)
    }

    // MARK: The channel

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isReading = false
        var bytes = unwrapInboundIn(data)
        if !state.receive(&bytes) { close() }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        wake()
        // An idle connection reads too: that is how its end is noticed.
        if state.bufferedBytes < Self.readAhead || partWaiter != nil || call?.isWaitedFor == true { readOn() }
    }

    /// Once: asking goes through all of the pipeline.
    func readOn() {
        guard !isReading, let context else { return }
        isReading = true
        context.read()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { roomCame() }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed { inputEnded() }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if inputFailure == nil { inputFailure = .broken(destination, error) }
        inputEnded()
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        // An orderly end has been told as an event before, unless our side had ended already. This is another: a write that failed, say.
        if !isInputEnded, inputFailure == nil, !isOutputFinished { inputFailure = .disconnected(destination, "broke the connection off") }
        inputEnded()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        inputEnded()
        self.context = nil
    }

    private func inputEnded() {
        isInputEnded = true
        // An error is no orderly end: a body that has no length of its own must not be taken as whole.
        if inputFailure == nil { state.endInput() }
        if standing == .idle { close() }
        wake()
    }

    /// Makes ready for another exchange.
    func forget() {
        failure = nil
        hasSent = false
        isBodyBegun = false
        ahead = nil
    }
}
