import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1

/// One connection to a server: the last handler of its channel, on bytes, confined to the channel's event loop. Carries one exchange at a
/// time for who leased it, see ``ClientLoop``.
final class ClientConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Standing {
        case leased
        /// In the pool.
        case idle
        /// Its place in the pool has been given up.
        case gone
    }

    /// Read beyond what was asked for, in bytes.
    static let readAhead = 64 << 10
    /// Bodies up to this size are copied behind their head, so that one buffer goes out.
    private static let inlineBody = 16 << 10

    let loop: ClientLoop
    let destination: Destination
    var standing = Standing.leased
    var state: ClientExchangeState
    private(set) var context: ChannelHandlerContext?
    private(set) var call: OutgoingCall?
    /// Why the exchange is over before its end.
    private(set) var failure: OutgoingError?
    /// Why nothing more will come; what has come may still be taken.
    private var inputFailure: OutgoingError?
    private var isInputEnded = false
    private var responseWaiter: CheckedContinuation<Result<ClientExchangeState.Step, OutgoingError>, Never>?
    /// What sends the body of the request, where that is a stream.
    var pump: Task<Void, Never>?
    var roomWaiter: CheckedContinuation<Bool, Never>?
    /// How much of a streamed request is still owed; `nil` with chunks.
    var owedBytes: Int?

    init(loop: ClientLoop, destination: Destination) {
        self.loop = loop
        self.destination = destination
        state = ClientExchangeState(limits: loop.settings.limits)
    }

    /// Whether the last exchange failed in a way that lets its request be sent again on another connection: this one had been kept, and
    /// was closed before any of it can have been processed.
    private(set) var isRetriable = false

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    // MARK: The request

    /// Sends `request`, or begins to.
    /// - Returns: false where it cannot be written as HTTP; the connection has not been used then.
    func begin(_ request: ClientRequest, for call: OutgoingCall) -> Bool {
        let framing: RequestHeadEncoder.Framing =
            switch request.body {
            case .empty: RequestHeadEncoder.framing(request.method, length: 0)
            case .bytes(let bytes): RequestHeadEncoder.framing(request.method, length: bytes.readableBytes)
            case .stream(let length, _): RequestHeadEncoder.framing(request.method, length: length)
            }
        loop.output.clear(minimumCapacity: 512)
        guard
            RequestHeadEncoder.encode(
                request.method, target: request.target, authority: request.authority, headers: request.headers, framing: framing,
                into: &loop.output)
        else { return false }
        self.call = call
        failure = nil
        state.begin(request.method, isWhole: request.isWhole)
        let isKept = state.count > 1
        guard let context, !isInputEnded else {
            isRetriable = isKept
            fail(inputFailure ?? .badResponse(destination, .truncated, hasBegun: false))
            return true
        }
        switch request.body {
        case .bytes(let bytes) where bytes.readableBytes > Self.inlineBody:
            context.write(wrapOutboundOut(loop.output), promise: nil)
            context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
        case .bytes(let bytes):
            loop.output.writeImmutableBuffer(bytes)
            context.writeAndFlush(wrapOutboundOut(loop.output), promise: nil)
        default: context.writeAndFlush(wrapOutboundOut(loop.output), promise: nil)
        }
        // Where the very first write fails, the channel closes under it, and nothing has left this machine.
        isRetriable = isKept && (!context.channel.isActive || request.isRepeatable)
        if case .stream(let length, let stream) = request.body, failure == nil { send(stream, length: length) }
        context.read()
        return true
    }

    // MARK: The response

    /// The head of the response, after ``begin(_:for:)``.
    func head() async throws(OutgoingError) -> ResponseHead {
        guard case .head(let head) = try await next() else { throw .badResponse(destination, .truncated, hasBegun: false) }
        return head
    }

    /// The next part of the body, never empty; `nil` after the last. Then the connection is somebody else's.
    func nextPart() async throws(OutgoingError) -> ByteBuffer? {
        if case .part(let part) = try await next() { part } else { nil }
    }

    private func next() async throws(OutgoingError) -> ClientExchangeState.Step {
        if let ready = ready() { return try ready.get() }
        context?.read()
        return try await withCheckedContinuation { responseWaiter = $0 }.get()
    }

    /// The next step where it is there already.
    func ready() -> Result<ClientExchangeState.Step, OutgoingError>? {
        if let failure { return .failure(failure) }
        switch state.next() {
        case .needsMore:
            guard let inputFailure else { return nil }
            fail(inputFailure)
            return .failure(inputFailure)
        case .failed(let fault):
            let error = OutgoingError.badResponse(destination, fault, hasBegun: state.hasResponseBegun)
            fail(error)
            return .failure(error)
        case .end(let staysOpen):
            finish(staysOpen)
            return .success(.end(staysOpen: staysOpen))
        case .head(let head):
            call?.stage = .body
            call?.progress(loop.settings.time.monotonic())
            return .success(.head(head))
        case .part(let part):
            call?.progress(loop.settings.time.monotonic())
            return .success(.part(part))
        }
    }

    private func finish(_ staysOpen: Bool) {
        endCall()
        pump?.cancel()
        pump = nil
        // A server that answered may go on reading what is sent, but nobody will read what it says to that.
        roomWaiter?.resume(returning: false)
        roomWaiter = nil
        if staysOpen {
            loop.release(self)
        } else {
            close()
        }
    }

    // MARK: The end

    /// Breaks the exchange off, and the connection with it.
    func fail(_ error: OutgoingError) {
        guard failure == nil else { return }
        failure = error
        if state.hasResponseBegun { isRetriable = false }
        endCall()
        pump?.cancel()
        pump = nil
        roomWaiter?.resume(returning: false)
        roomWaiter = nil
        let waiter = responseWaiter
        responseWaiter = nil
        close()
        waiter?.resume(returning: .failure(error))
    }

    private func endCall() {
        guard let call else { return }
        self.call = nil
        call.abort = nil
        loop.remove(call)
    }

    func close() {
        loop.leave(self)
        context?.close(promise: nil)
    }

    // MARK: The channel

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if !state.receive(&bytes) { close() }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        wake()
        // An idle connection reads too: that is how its end is noticed.
        if responseWaiter != nil || state.bufferedBytes < Self.readAhead { context.read() }
    }

    private func wake() {
        guard let waiter = responseWaiter else { return }
        responseWaiter = nil
        if let ready = ready() { waiter.resume(returning: ready) } else { responseWaiter = waiter }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            call?.progress(loop.settings.time.monotonic())
            roomWaiter?.resume(returning: true)
            roomWaiter = nil
        }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed { inputEnded() }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if inputFailure == nil {
            inputFailure = .broken(destination, error)
        }
        inputEnded()
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        // An orderly end has been told as an event before. This is another: a write that failed, say.
        if !isInputEnded, inputFailure == nil { inputFailure = .disconnected(destination, "broke the connection off") }
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
}
