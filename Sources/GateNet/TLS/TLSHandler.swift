package import GateCrypto
package import NIOCore

/// Says that the next `close` is none that the other side may take for a proper end: no `close_notify` is sent. An outbound user event;
/// without TLS nobody listens to it.
package struct AbortiveClose: Sendable {
    package init() {}
}

/// TLS between a socket and what speaks over it: the first handler of its channel, confined to its event loop.
///
/// The end of the stream arrives as `ChannelEvent.inputClosed` where the peer said so (`close_notify`), otherwise as
/// ``TLSError/truncated``: never is a cut stream taken for a whole one. The other direction stays open after it (RFC 8446 §6.1).
package final class TLSHandler: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    enum State {
        case idle
        case handshaking
        case open
        /// Over, after an error; a server waits for the client to see why.
        case failed
        case closed
    }

    let engine: TLSEngine
    let isServer: Bool
    var context: ChannelHandlerContext!
    var state = State.idle
    /// What has come and has not been opened.
    var ciphertext = ByteBuffer()
    /// What is read from behind this handler has not been answered yet.
    var isReadAsked = false
    var isOpening = false
    var hasDelivered = false
    /// The peer has said that nothing more will come.
    var isInputEnded = false
    /// Nothing more comes from the socket.
    var isTransportEnded = false
    var isOutputClosed = false
    var isAborting = false
    var isClosing = false
    var needsFlush = false
    /// Until a challenge is found, or found missing, nothing more is read.
    var isSearching = false
    var outgoing = OutgoingPlaintext()
    private var outcome: Result<TLSHandshake, TLSError>?
    // No future: making, resolving and freeing one was a hundredth of what a server does for a handshake.
    private var observer: ((Result<TLSHandshake, TLSError>) -> Void)?
    private let handshakeTime: Duration?
    private var deadline: Scheduled<Void>?

    /// - Parameter handshakeTime: `nil` where somebody else sees to it.
    init(_ engine: TLSEngine, isServer: Bool, handshakeTime: Duration?) {
        self.engine = engine
        self.isServer = isServer
        self.handshakeTime = handshakeTime
    }

    /// Calls `body` with what the handshake has agreed on, or what it failed with, which closes the channel; at once where it is over
    /// already. To be called once, on the channel's event loop.
    package func whenHandshaken(_ body: @escaping (Result<TLSHandshake, TLSError>) -> Void) {
        if let outcome { body(outcome) } else { observer = body }
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { start() }
    }

    package func channelActive(context: ChannelHandlerContext) {
        start()
        context.fireChannelActive()
    }

    private func start() {
        guard case .idle = state else { return }
        state = .handshaking
        if let handshakeTime {
            deadline = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(handshakeTime)) { [self] in fail(.timedOut) }
        }
        if !isServer { shakeHands() }
        flushIfNeeded()
        if case .handshaking = state { context.read() }
    }

    /// Goes on with the handshake with what has come.
    func shakeHands() {
        do throws(TLSError) {
            let isComplete = try ciphertext.feed { input throws(TLSError) in try engine.shakeHands(&input) }
            sendOutput()
            guard isComplete, let handshake = engine.handshake else { return searchChallenge() }
            state = .open
            endHandshake(.success(handshake))
            // What has waited for this was flushed at its time, before a flight of the handshake was.
            if !outgoing.isEmpty { needsFlush = true }
            seal()
        } catch {
            fail(error)
        }
    }

    private func endHandshake(_ result: Result<TLSHandshake, TLSError>) {
        deadline?.cancel()
        deadline = nil
        guard outcome == nil else { return }
        outcome = result
        let observer = observer
        self.observer = nil
        observer?(result)
    }

    /// Writes what the engine wants sent by itself.
    func sendOutput() {
        guard engine.hasOutput else { return }
        context.write(wrapOutboundOut(ByteBuffer(bytes: engine.takeOutput())), promise: nil)
        needsFlush = true
    }

    func flushIfNeeded() {
        guard needsFlush, let context else { return }
        needsFlush = false
        context.flush()
    }

    /// Ends the connection. A client of ours that fails in the handshake is left time to read why: a socket closed over unread bytes
    /// sends a reset, and the alert would be lost (RFC 9112 §9.6 has the same for HTTP).
    func fail(_ error: TLSError) {
        let isInHandshake: Bool
        switch state {
        case .failed, .closed: return
        case .idle, .handshaking: isInHandshake = true
        case .open: isInHandshake = false
        }
        state = .failed
        ciphertext = ByteBuffer()
        sendOutput()
        if isInHandshake, isServer, error == .plainHTTP { answerPlainHTTP() }
        flushIfNeeded()
        failOutgoing(error)
        if isInHandshake { endHandshake(.failure(error)) }
        guard let context else { return }
        if !(isInHandshake && isServer) { context.fireErrorCaught(error) }
        if isInHandshake, isServer, !isTransportEnded, error != .truncated, error != .timedOut {
            context.close(mode: .output, promise: nil)
            context.read()
        } else {
            context.close(promise: nil)
        }
    }

    private func answerPlainHTTP() {
        let body = "This port speaks HTTPS: ask for https:// instead.\n"
        let answer = """
            HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: \(body.utf8.count)\r\n\
            Connection: close\r\n\r\n\(body)
            """
        context.write(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
        needsFlush = true
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .handshaking = state, isServer {
            fail(.truncated)
        } else {
            // The socket is broken, mostly reset by a client that has what it wanted: nobody would read a goodbye.
            isAborting = true
            context.fireErrorCaught(error)
        }
    }

    package func channelInactive(context: ChannelHandlerContext) {
        isTransportEnded = true
        let before = state
        ended()
        if case .open = before, !isInputEnded, !isOutputClosed { context.fireErrorCaught(TLSError.truncated) }
        context.fireChannelInactive()
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        ended()
        self.context = nil
    }

    func ended() {
        switch state {
        case .idle, .handshaking: endHandshake(.failure(.truncated))
        case .open, .failed: break
        case .closed: return
        }
        state = .closed
        ciphertext = ByteBuffer()
        failOutgoing(.closed)
    }

    private func failOutgoing(_ error: TLSError) {
        for promise in outgoing.takeAll() { promise.fail(error) }
    }
}

extension ByteBuffer {
    /// Lends what is readable to `body`, which takes what it uses.
    mutating func feed<Result>(
        _ body: (inout UnsafeRawBufferPointer) throws(TLSError) -> Result
    ) throws(TLSError) -> Result {
        var result: Swift.Result<Result, TLSError>!
        readWithUnsafeReadableBytes { bytes in
            var rest = bytes
            do throws(TLSError) { result = .success(try body(&rest)) } catch { result = .failure(error) }
            return bytes.count - rest.count
        }
        return try result.get()
    }
}
