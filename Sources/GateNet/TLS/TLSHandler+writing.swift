import GateCrypto
package import NIOCore

extension TLSHandler {
    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch state {
        case .failed, .closed:
            promise?.fail(TLSError.closed)
            return
        case .idle, .handshaking, .open: break
        }
        guard !isOutputClosed else {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        outgoing.append(unwrapOutboundIn(data), promise)
        // What is written and not flushed must count in the channel, whose writability is the back-pressure.
        if outgoing.byteCount >= OutgoingPlaintext.gathered { seal() }
    }

    package func flush(context: ChannelHandlerContext) {
        needsFlush = true
        guard case .open = state else { return }
        seal()
        flushIfNeeded()
    }

    /// Passes on what has gathered, in as few records as there can be.
    func seal() {
        guard case .open = state, !outgoing.isEmpty else { return }
        sendOutput()
        do throws(TLSError) {
            while let (sealed, promise) = try outgoing.sealNext(engine) {
                context.write(wrapOutboundOut(sealed), promise: promise)
            }
            sendOutput()
        } catch {
            fail(error)
        }
    }

    package func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is AbortiveClose else {
            context.triggerUserOutboundEvent(event, promise: promise)
            return
        }
        isAborting = true
        promise?.succeed(())
    }

    package func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        switch mode {
        case .input:
            isInputEnded = true
            context.close(mode: .input, promise: promise)
        case .output:
            seal()
            if let goodbye = goodbye() { context.writeAndFlush(wrapOutboundOut(goodbye), promise: nil) }
            context.close(mode: .output, promise: promise)
        case .all:
            // As without TLS, what was not flushed is not sent.
            let goodbye = goodbye()
            ended()
            if let goodbye { closeAfter(goodbye, promise) } else { context.close(promise: promise) }
        }
    }

    /// The `close_notify`, where one is to be sent.
    private func goodbye() -> ByteBuffer? {
        guard case .open = state, !isOutputClosed else { return nil }
        isOutputClosed = true
        guard !isAborting else { return nil }
        engine.close()
        return engine.hasOutput ? ByteBuffer(bytes: engine.takeOutput()) : nil
    }

    /// Closed in place, the channel would drop what it has not written yet: inside the completion of another write, that is everything.
    private func closeAfter(_ goodbye: ByteBuffer, _ promise: EventLoopPromise<Void>?) {
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { [self] _ in closeNow(promise) }
        context.writeAndFlush(wrapOutboundOut(goodbye), promise: written)
        // Mostly it is out already, and no timer is made.
        guard !isClosing else { return }
        let limit = context.eventLoop.assumeIsolated().scheduleTask(in: Self.goodbyeTime) { [self] in closeNow(promise) }
        written.futureResult.assumeIsolated().whenComplete { _ in limit.cancel() }
    }

    private func closeNow(_ promise: EventLoopPromise<Void>?) {
        guard !isClosing else { return }
        isClosing = true
        if let context { context.close(promise: promise) } else { promise?.succeed() }
    }

    /// How long a peer that reads nothing keeps a closing connection.
    private static let goodbyeTime = TimeAmount.seconds(1)
}
