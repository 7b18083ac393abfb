import GateHTTP
import NIOCore
import NIOHTTP2

/// What is sent of responses, as far as the client's windows admit it. `NIOHTTP2Handler` would send whatever fits, see ``HTTP2FrameCut``; it is
/// given only what it sends at once.
extension HTTP2Connection {
    /// Sends `part`, or as much of it as may be, and the rest when the client opens its windows.
    func send(_ part: ByteBuffer, on stream: HTTP2Stream) {
        stream.pendingBytes += part.readableBytes
        if let waiting = stream.outbox.indices.last, stream.outbox[waiting].readableBytes < HTTP2FrameCut.worthwhile {
            stream.outbox[waiting].writeImmutableBuffer(part)
        } else {
            stream.outbox.append(part)
        }
        if !stream.isSending {
            stream.isSending = true
            sending.append(stream)
        }
        sendWaiting()
    }

    /// Sends the last frame of the response behind all that waits.
    func finish(_ stream: HTTP2Stream, _ last: HTTP2Frame.FramePayload) {
        stream.outputEnded = true
        stream.isEndPending = true
        if case .data(let content) = last, case .byteBuffer(let bytes) = content.data, bytes.readableBytes > 0 {
            guard sending.isEmpty, bytes.readableBytes <= min(HTTP2FrameCut.largest, stream.sendWindow.open, sendWindow.open) else {
                stream.last = .data(.init(data: .byteBuffer(ByteBuffer()), endStream: true))
                send(bytes, on: stream)
                return
            }
            use(bytes.readableBytes, of: stream)
            meter.sent(bytes.readableBytes)
        }
        if stream.outbox.isEmpty { writeLast(last, of: stream) } else { stream.last = last }
    }

    /// Hands on what the windows admit, a frame of each stream in turn.
    func sendWaiting() {
        var inVain = 0
        while inVain < sending.count, let stream = sending.popFirst() {
            guard streams[stream.id] === stream else { continue }
            inVain = sendNext(of: stream) ? 0 : inVain + 1
            if stream.outbox.isEmpty { stream.isSending = false } else { sending.append(stream) }
        }
    }

    /// Takes what concerns the windows of a frame that has come.
    func noteWindows(_ frame: HTTP2Frame) {
        switch frame.payload {
        case .windowUpdate(let increment):
            if frame.streamID == .rootStream {
                sendWindow.change(by: increment)
            } else {
                streams[frame.streamID]?.sendWindow.change(by: increment)
            }
        case .settings(.settings(let settings)):
            guard let size = settings.last(where: { $0.parameter == .initialWindowSize })?.value else { return }
            for stream in streams.values { stream.sendWindow.change(by: size - initialSendWindow) }
            initialSendWindow = size
        default: return
        }
        hasWiderWindows = true
    }

    /// - Returns: Whether there was room for it.
    private func sendNext(of stream: HTTP2Stream) -> Bool {
        let waiting = stream.outbox[0].readableBytes
        guard let piece = cut.next(of: waiting, stream: stream.sendWindow, connection: sendWindow) else { return false }
        let bytes: ByteBuffer
        if piece.count == waiting {
            bytes = stream.outbox.removeFirst()
        } else if let slice = stream.outbox[0].readSlice(length: piece.count) {
            bytes = slice
        } else {
            return false
        }
        use(piece.count, of: stream)
        if piece.mayBringUpdates { meter.sent(piece.count) }
        let last = stream.outbox.isEmpty ? stream.last : nil
        if let last, case .data = last {
            stream.last = nil
            writeLast(.data(.init(data: .byteBuffer(bytes), endStream: true)), of: stream)
            return true
        }
        let written = loop.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { [self] _ in
            stream.pendingBytes -= piece.count
            guard stream.pendingBytes < HTTP2Window.outbound, let writer = stream.exchange.bodyWriter else { return }
            stream.exchange.bodyWriter = nil
            writer(streams[stream.id] === stream ? .success(()) : .failure(.disconnected))
        }
        write(.data(.init(data: .byteBuffer(bytes))), on: stream.id, promise: written)
        if let last {
            stream.last = nil
            writeLast(last, of: stream)
        }
        return true
    }

    private func use(_ count: Int, of stream: HTTP2Stream) {
        stream.sendWindow.use(count)
        sendWindow.use(count)
    }

    private func writeLast(_ last: HTTP2Frame.FramePayload, of stream: HTTP2Stream) {
        let written = loop.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { [self] result in
            guard streams[stream.id] === stream else { return }
            stream.pendingBytes = 0
            ended(stream, result)
        }
        write(last, on: stream.id, promise: written)
    }
}
