import GateCore
import GateHTTP
import NIOCore
import NIOHTTP2

/// How streams and the connection end.
extension HTTP2Connection {
    /// `NIOHTTP2Handler` has closed a stream: after both its ends, or for a reason.
    func streamClosed(_ event: StreamClosedEvent) {
        guard event.reason != nil, let stream = streams[event.streamID] else { return }
        abort(stream)
        leaveIfDone()
    }

    func reset(_ stream: HTTP2Stream, _ code: HTTP2ErrorCode) {
        guard streams[stream.id] === stream else { return }
        // First, so that the event that answers this finds nothing more to do.
        abort(stream)
        write(.rstStream(code), on: stream.id)
        flush()
        leaveIfDone()
    }

    /// Lets the rest of a request come that has its answer: most clients are about to end it, or to see that they need not. Until then
    /// it is still held to the rules. One that goes on is told to stop (RFC 9113 §8.1).
    func drain(_ stream: HTTP2Stream, at now: MonotonicInstant) {
        if let promised = stream.promisedBytes, promised > limits.drainSize {
            stop(stream)
        } else {
            stream.readDeadline = now + limits.drainTime
        }
    }

    func stop(_ stream: HTTP2Stream) {
        remove(stream)
        guard !isClosing else { return }
        write(.rstStream(.noError), on: stream.id)
        flush()
        leaveIfDone()
    }

    func abort(_ stream: HTTP2Stream, with error: BodyError = .disconnected) {
        guard streams[stream.id] === stream else { return }
        remove(stream)
        guard !stream.isAnswered else { return }
        let exchange = stream.exchange
        exchange.abandon(with: error)
        service.observer.finished(exchange.finished(at: service.monotonic(), isAborted: true))
    }

    func abortAll() {
        for stream in Array(streams.values) { abort(stream) }
    }

    func remove(_ stream: HTTP2Stream) {
        streams[stream.id] = nil
        stream.waiting = nil
        dropInbox(stream)
        if streams.isEmpty { idleDeadline = service.monotonic() + limits.keepAliveTime }
    }

    func dropInbox(_ stream: HTTP2Stream) {
        guard stream.inbox.readableBytes > 0 else { return }
        heldBytes -= stream.takeInbox().readableBytes
        openConnectionWindow()
    }

    /// Takes on no more than what the client sends before it learns of it (RFC 9113 §6.8).
    ///
    /// Without a stream it ends at once: `NIOHTTP2Handler` takes a connection that has said GOAWAY and has no stream left for over, and the
    /// answer to a PING for an offence. A request that is on its way is above the last stream then, so the client may repeat it.
    func goAway() {
        guard case .open = phase else { return }
        phase = .goingAway
        guard !streams.isEmpty else {
            finishGoingAway()
            return
        }
        closeDeadline = service.monotonic() + limits.drainTime
        write(.goAway(lastStreamID: .maxID, errorCode: .noError, opaqueData: nil), on: .rootStream)
        write(.ping(HTTP2Framing.farewell, ack: false), on: .rootStream)
        flush()
    }

    func finishGoingAway() {
        guard case .goingAway = phase else { return }
        phase = .finishing
        closeDeadline = nil
        write(.goAway(lastStreamID: lastStream, errorCode: .noError, opaqueData: nil), on: .rootStream)
        flush()
        leaveIfDone()
    }

    /// The client takes up nothing more.
    func clientGoesAway() {
        guard !isClosing else { return }
        phase = .finishing
        leaveIfDone()
    }

    func leaveIfDone() {
        guard streams.isEmpty else { return }
        switch phase {
        case .goingAway: finishGoingAway()
        case .finishing: close(lingers: !inputEnded)
        case .open, .closing, .closed: break
        }
    }

    /// Ends the connection for what the client did.
    func fail(_ code: HTTP2ErrorCode) {
        guard !isClosing else { return }
        write(.goAway(lastStreamID: lastStream, errorCode: code, opaqueData: nil), on: .rootStream)
        close(lingers: true)
    }

    /// - Parameter lingers: The client may still be sending: a socket closed over unread bytes sends a reset, and the client might lose
    ///   what is on its way over it.
    func close(lingers: Bool) {
        guard !isClosing else { return }
        phase = .closing
        headDeadline = nil
        idleDeadline = nil
        sayBroken()
        abortAll()
        needsFlush = true
        flushIfNeeded()
        guard lingers, !inputEnded, let context else {
            cutOff()
            return
        }
        closeDeadline = service.monotonic() + limits.drainTime
        context.close(mode: .output, promise: nil)
        readOn()
    }

    func stop() {
        // A tunnel has no end of its own to wait for: its user is told, and has until the server cuts it off.
        for stream in streams.values where stream.exchange.tunnel != nil { stream.exchange.task?.cancel() }
        if hasSettings { return goAway() }
        // Without its preface there is nobody to say anything to. Its first request may be on its way.
        let end = service.monotonic() + limits.stopTime
        headDeadline = headDeadline.map { min($0, end) } ?? end
    }

    func makeRoom() {
        guard streams.isEmpty, requestCount > 0, !isClosing else { return }
        write(.goAway(lastStreamID: lastStream, errorCode: .noError, opaqueData: nil), on: .rootStream)
        flush()
        cutOff()
    }

    func checkDeadlines(_ now: MonotonicInstant) {
        guard checkSocket(now) else { return }
        for stream in Array(streams.values) { check(stream, now) }
        if let closeDeadline, now >= closeDeadline {
            self.closeDeadline = nil
            if case .goingAway = phase { finishGoingAway() } else { cutOff() }
        }
        if let headDeadline, now >= headDeadline {
            self.headDeadline = nil
            // With nothing begun, silence is no fault.
            if meter.isWithinFrame, hasSettings { fail(.enhanceYourCalm) } else { endIdle() }
        }
        if let idleDeadline, now >= idleDeadline, streams.isEmpty {
            self.idleDeadline = nil
            endIdle()
        }
    }

    private func endIdle() {
        guard hasSettings, !isClosing else {
            cutOff()
            return
        }
        phase = .finishing
        write(.goAway(lastStreamID: lastStream, errorCode: .noError, opaqueData: nil), on: .rootStream)
        flush()
        leaveIfDone()
    }

    /// Whether the client takes what is on its way.
    private func checkSocket(_ now: MonotonicInstant) -> Bool {
        guard let context, !context.channel.isWritable else {
            writeDeadline = nil
            return true
        }
        let buffered = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        guard let writeDeadline, buffered >= bufferedAtDeadline else {
            self.writeDeadline = now + limits.writeIdleTime
            bufferedAtDeadline = buffered
            return true
        }
        guard now >= writeDeadline else { return true }
        sayBroken()
        for stream in Array(streams.values) { abort(stream, with: .timedOut) }
        cutOff()
        return false
    }

    private func check(_ stream: HTTP2Stream, _ now: MonotonicInstant) {
        if let deadline = stream.readDeadline, now >= deadline {
            stream.readDeadline = nil
            guard !stream.isAnswered else {
                stop(stream)
                return
            }
            fail(stream, .timedOut("Nothing of the body came for too long."), with: .timedOut)
            return
        }
        guard stream.owesOutput else {
            stream.writeDeadline = nil
            return
        }
        guard let deadline = stream.writeDeadline, !stream.hasProgressed else {
            stream.hasProgressed = false
            stream.writeDeadline = now + limits.writeIdleTime
            return
        }
        guard now >= deadline else { return }
        abort(stream, with: .timedOut)
        write(.rstStream(.cancel), on: stream.id)
        flush()
        leaveIfDone()
    }
}
