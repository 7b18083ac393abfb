import GateCrypto
package import NIOCore

extension TLSHandler {
    /// Opened at a time, in bytes.
    private static let portion = 64 << 10

    package func read(context: ChannelHandlerContext) {
        isReadAsked = true
        guard case .open = state else { return }
        guard !isOpening else { return }
        if hasUnopened {
            // Not from within the caller, who may be in the middle of something.
            context.eventLoop.assumeIsolated().execute { [self] in resumeReading() }
        } else {
            context.read()
        }
    }

    private var hasUnopened: Bool { ciphertext.readableBytes > 0 || engine.hasPlaintext }

    private func resumeReading() {
        guard case .open = state, isReadAsked else { return }
        open()
        completeRead()
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch state {
        case .failed, .closed: return
        case .idle, .handshaking, .open: break
        }
        guard !isInputEnded else { return }
        var bytes = unwrapInboundIn(data)
        if ciphertext.readableBytes == 0 { ciphertext = bytes } else { ciphertext.writeBuffer(&bytes) }
        if case .handshaking = state {
            isOpening = true
            shakeHands()
            isOpening = false
        }
        if case .open = state { open() }
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        switch state {
        case .handshaking, .failed:
            flushIfNeeded()
            if !isTransportEnded, !isSearching { context.read() }
        case .open: completeRead()
        case .idle, .closed: break
        }
    }

    /// Hands on what has come, as far as it was asked for.
    private func open() {
        guard isReadAsked, !isOpening else { return }
        isOpening = true
        defer { isOpening = false }
        while case .open = state, !isInputEnded, hasUnopened {
            guard openPortion() else { break }
        }
        if ciphertext.readableBytes == 0 { ciphertext = ByteBuffer() }
    }

    /// Whether there may be more to open.
    private func openPortion() -> Bool {
        var plaintext = ByteBufferAllocator().buffer(capacity: min(max(ciphertext.readableBytes, 64), Self.portion))
        var read = TLSEngine.Read()
        do throws(TLSError) {
            read = try ciphertext.feed { input throws(TLSError) in
                var result = Result<TLSEngine.Read, TLSError>.success(TLSEngine.Read())
                plaintext.writeWithUnsafeMutableBytes(minimumWritableBytes: 1) { target in
                    do throws(TLSError) {
                        let read = try engine.read(&input, into: target)
                        result = .success(read)
                        return read.count
                    } catch {
                        result = .failure(error)
                        return 0
                    }
                }
                return try result.get()
            }
        } catch {
            fail(error)
            return false
        }
        sendOutput()
        if read.count > 0 {
            hasDelivered = true
            context.fireChannelRead(wrapInboundOut(plaintext))
        }
        if read.isEnded {
            endInput()
            return false
        }
        return read.count > 0
    }

    private func endInput() {
        guard !isInputEnded else { return }
        isInputEnded = true
        ciphertext = ByteBuffer()
        // What came before the end, perhaps with it, is read before the end is heard of.
        if hasDelivered { completeDelivery() }
        context?.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    }

    private func completeRead() {
        if hasDelivered {
            completeDelivery()
        } else if case .open = state, isReadAsked, !isTransportEnded {
            context.read()
        }
        flushIfNeeded()
        checkTruncation()
    }

    private func completeDelivery() {
        hasDelivered = false
        isReadAsked = false
        context.fireChannelReadComplete()
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        isTransportEnded = true
        switch state {
        case .idle, .handshaking: fail(.truncated)
        case .open: checkTruncation()
        case .failed: context.close(promise: nil)
        case .closed: break
        }
    }

    /// The socket has ended, and everything from it was handed on.
    private func checkTruncation() {
        guard isTransportEnded, !isInputEnded, case .open = state, isReadAsked || !hasUnopened else { return }
        fail(.truncated)
    }
}
