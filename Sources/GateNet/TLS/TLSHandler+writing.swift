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
            while let (sealed, promise) = try outgoing.sealNext(engine, context.channel.allocator) {
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
            sayGoodbye()
            context.close(mode: .output, promise: promise)
        case .all:
            // As without TLS: what was not flushed is not sent.
            outgoing.fail(.closed)
            sayGoodbye()
            ended()
            context.close(promise: promise)
        }
    }

    private func sayGoodbye() {
        guard case .open = state, !isOutputClosed else { return }
        isOutputClosed = true
        guard !isAborting else { return }
        engine.close()
        sendOutput()
        flushIfNeeded()
    }
}
