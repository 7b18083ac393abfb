import GateCore
import GateHTTP
import NIOCore
import NIOHPACK
import NIOHTTP1
import NIOHTTP2

extension HTTP2Connection {
    func takeData(_ part: HTTP2Frame.FramePayload.Data, of id: HTTP2StreamID) {
        guard let stream = streams[id] else { return }
        stream.receivedBytes += part.data.readableBytes
        guard stream.keepsPromise(isEnd: part.endStream) else {
            refuseMalformed(stream, isEnd: part.endStream)
            return
        }
        if case .byteBuffer(var bytes) = part.data, bytes.readableBytes > 0, wantsBody(stream) {
            heldBytes += bytes.readableBytes
            if stream.inbox.readableBytes == 0 { swap(&stream.inbox, &bytes) } else { stream.inbox.writeBuffer(&bytes) }
        }
        if part.endStream { endInput(stream) } else { feedBody(stream) }
    }

    /// Nobody reads the body of a request that has its answer. Its streamed response may still be one that reads it.
    func wantsBody(_ stream: HTTP2Stream) -> Bool { (!stream.outputEnded || stream.exchange.tunnel != nil) && !stream.isTaken }

    func endInput(_ stream: HTTP2Stream) {
        stream.inputEnded = true
        stream.inboundWindow = nil
        if stream.isAnswered {
            remove(stream)
            leaveIfDone()
        } else if stream.waiting != nil {
            beginIfWaiting(stream)
        } else {
            feedBody(stream)
        }
    }

    func bodyPart(for exchange: UInt64) -> Result<ByteBuffer?, BodyError>? {
        guard let stream = stream(exchange) else { return .failure(.disconnected) }
        if stream.inbox.readableBytes > 0 {
            let part = stream.takeInbox()
            stream.exchange.bodyBytes += part.readableBytes
            stream.exchange.owesContinue = false
            heldBytes -= part.readableBytes
            openWindow(of: stream)
            openConnectionWindow()
            return .success(part)
        }
        if stream.inputEnded { return .success(nil) }
        return inputEnded ? .failure(.disconnected) : nil
    }

    func awaitBody(_ exchange: UInt64, _ continuation: CheckedContinuation<Result<ByteBuffer?, BodyError>, Never>) {
        if let ready = bodyPart(for: exchange) {
            continuation.resume(returning: ready)
            return
        }
        guard let stream = stream(exchange), stream.exchange.bodyReader == nil else {
            continuation.resume(returning: .failure(.disconnected))
            return
        }
        stream.exchange.bodyReader = { continuation.resume(returning: $0) }
        if stream.exchange.owesContinue, stream.exchange.status == nil {
            stream.exchange.owesContinue = false
            write(.headers(.init(headers: [":status": "100"])), on: stream.id)
            flush()
        }
        guard stream.exchange.tunnel == nil else { return }
        stream.readDeadline = stream.exchange.awaitBody(since: service.monotonic(), limits)
    }

    func cancelBody(_ exchange: UInt64) {
        guard let stream = stream(exchange), let waiting = stream.exchange.bodyReader else { return }
        stream.exchange.bodyReader = nil
        stream.readDeadline = nil
        waiting(.failure(.disconnected))
    }

    func trailers(of exchange: UInt64) -> HTTPHeaders {
        guard let stream = stream(exchange), stream.inputEnded else { return [:] }
        return stream.trailers ?? [:]
    }

    /// Gives what has come to who waits for it.
    func feedBody(_ stream: HTTP2Stream) {
        guard let waiting = stream.exchange.bodyReader, let part = bodyPart(for: stream.number) else { return }
        stream.exchange.endBodyWait(at: service.monotonic())
        stream.exchange.bodyReader = nil
        stream.readDeadline = nil
        waiting(part)
    }

    func windowChanged(_ event: NIOHTTP2WindowUpdatedEvent) {
        if event.streamID == .rootStream {
            guard let window = event.inboundWindowSize, window != connectionWindow else { return }
            connectionWindow = window
            openConnectionWindow()
        } else if let stream = streams[event.streamID], !stream.inputEnded {
            stream.inboundWindow = event.inboundWindowSize
            openWindow(of: stream)
        }
    }

    /// Lets the client send more on `stream`, where its reader has made room. Where nobody reads, nothing more is let in.
    private func openWindow(of stream: HTTP2Stream) {
        guard !isClosing, !stream.inputEnded, wantsBody(stream), let window = stream.inboundWindow,
            let increment = HTTP2Window.increment(open: window, held: stream.inbox.readableBytes, target: HTTP2Window.stream)
        else { return }
        stream.inboundWindow = window + increment
        write(.windowUpdate(windowSizeIncrement: increment), on: stream.id)
        flush()
    }

    func openConnectionWindow() {
        guard !isClosing, hasSettings,
            let increment = HTTP2Window.increment(open: connectionWindow, held: heldBytes, target: HTTP2Window.connection)
        else { return }
        connectionWindow += increment
        write(.windowUpdate(windowSizeIncrement: increment), on: .rootStream)
        flush()
    }
}
