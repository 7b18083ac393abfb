import GateCore
import GateHTTP
import NIOCore
import NIOHPACK
import NIOHTTP1
import NIOHTTP2

extension HTTP2Connection {
    /// A request, or the trailers of one.
    func takeHeaders(_ block: HPACKHeaders, isEnd: Bool, of id: HTTP2StreamID) {
        if let stream = streams[id] {
            guard HTTP2MessageForm.isTrailers(block), stream.keepsPromise(isEnd: true) else {
                refuseMalformed(stream, isEnd: true)
                return
            }
            takeTrailers(block, of: stream)
            endInput(stream)
            return
        }
        guard id > lastStream else { return }
        lastStream = id
        guard HTTP2MessageForm.isRequest(block) else {
            refuseMalformed(id)
            return
        }
        guard runningTasks < Self.concurrency else {
            write(.rstStream(.refusedStream), on: id)
            return
        }
        requestCount += 1
        idleDeadline = nil
        let now = service.monotonic()
        let number = UInt64(Int(id))
        var parser = HTTP2RequestHead(limits: limits)
        do throws(RequestFault) {
            if let refusal { throw refusal }
            let head = try parser.parse(block, isComplete: isEnd)
            let origin = service.origin(of: head, peer: peer, scheme: scheme)
            var target = RequestTarget.root
            if case .origin(let asked) = head.target { target = asked }
            let request = Request(
                id: loop.nextRequestID(), method: head.method, target: target, headers: head.headers, peer: peer, client: origin.client,
                scheme: origin.scheme, authority: origin.authority, version: head.version, upgrade: head.upgrade, receivedAt: now)
            let stream = HTTP2Stream(
                id: id,
                exchange: CurrentExchange(
                    number: number, request: request, keepsAlive: head.keepsAlive,
                    owesContinue: head.expectsContinue && head.framing != .none),
                sendWindow: initialSendWindow)
            streams[id] = stream
            stream.inputEnded = isEnd
            if case .length(let promised) = head.framing { stream.promisedBytes = promised }
            if isEnd {
                begin(stream, head.target)
            } else {
                stream.waiting = head.target
                beginning.append(stream)
            }
        } catch {
            let stream = HTTP2Stream(
                id: id, exchange: CurrentExchange(number: number, id: loop.nextRequestID(), client: peer, receivedAt: now),
                sendWindow: initialSendWindow)
            streams[id] = stream
            stream.inputEnded = isEnd
            respond(service.problem(error.problem, stream.exchange), to: stream)
        }
        if requestCount == limits.requestsPerConnection || refusal != nil { goAway() }
    }

    /// Resets a stream for a malformed message (RFC 9113 §8.1.1), and ends the connection for many of them.
    private func refuseMalformed(_ id: HTTP2StreamID) {
        malformedMessages += 1
        guard malformedMessages <= Self.malformedLimit else {
            fail(.enhanceYourCalm)
            return
        }
        write(.rstStream(.protocolError), on: id)
    }

    /// - Parameter isEnd: the client has ended its side with it.
    func refuseMalformed(_ stream: HTTP2Stream, isEnd: Bool) {
        if isEnd, stream.isEndSent {
            // Both sides have ended, and there is nothing to reset (RFC 9113 §5.1).
            stream.exchange.abandon(with: .malformed)
            endInput(stream)
            return
        }
        abort(stream)
        refuseMalformed(stream.id)
        leaveIfDone()
    }

    /// `NIOHTTP2Handler` holds their size to that of a head.
    private func takeTrailers(_ block: HPACKHeaders, of stream: HTTP2Stream) {
        guard block.count <= limits.fieldCount, wantsBody(stream), stream.exchange.tunnel == nil else { return }
        var fields = HTTPHeaders()
        for (name, value, _) in block where TrailerFields.mayHold(name.utf8) && value.utf8.allSatisfy(Octet.isFieldContent) {
            fields.add(name: name, value: value)
        }
        if !fields.isEmpty { stream.trailers = fields }
    }

    /// Hands on the requests whose bodies have not come whole with the read that is over.
    func beginWaiting() {
        guard !beginning.isEmpty else { return }
        let streams = beginning
        beginning = []
        for stream in streams { beginIfWaiting(stream) }
    }

    func beginIfWaiting(_ stream: HTTP2Stream) {
        guard let target = stream.waiting, streams[stream.id] === stream else { return }
        stream.waiting = nil
        begin(stream, target)
    }

    /// Hands a request to the responder.
    private func begin(_ stream: HTTP2Stream, _ target: RequestHead.Target) {
        let exchange = stream.exchange
        guard case .origin = target else {
            respond(Response(.noContent), to: stream)
            return
        }
        var request = exchange.request
        let body = body(of: stream)
        if case .empty = body {} else { request = request.with(body: body) }
        switch service.responder.respond(to: request) {
        case .now(let response): respond(response, to: stream)
        case .pending(let pending):
            let number = stream.number
            runningTasks += 1
            exchange.pending = pending
            pending.whenResolved { [self] response in
                runningTasks -= 1
                exchange.pending = nil
                if let stream = self.stream(number) { respond(response, to: stream) }
                flushSoon()
            }
        case .later(let respond):
            let number = stream.number
            let connection = NIOLoopBound(self, eventLoop: loop.eventLoop)
            run(stream) {
                let response = await respond()
                let connection = connection.value
                if let stream = connection.stream(number) { connection.respond(response, to: stream) }
                connection.flushSoon()
            }
        }
    }

    /// Flushes once what has come on this event loop is seen to: the answers of several streams are in it, and go out in one record and one
    /// write.
    private func flushSoon() {
        guard streams.count > 1, !isInRead else {
            flush()
            return
        }
        needsFlush = true
        guard !isFlushScheduled else { return }
        isFlushScheduled = true
        loop.eventLoop.assumeIsolated().execute { [self] in
            isFlushScheduled = false
            flushIfNeeded()
        }
    }

    /// Runs `operation` on this connection's event loop, as the task that ends with the exchange of `stream`.
    func run(_ stream: HTTP2Stream, _ operation: @escaping @Sendable () async -> Void) {
        runningTasks += 1
        let connection = NIOLoopBound(self, eventLoop: loop.eventLoop)
        let task = Task.immediate(executorPreference: loop.executor) {
            await operation()
            connection.value.runningTasks -= 1
        }
        if streams[stream.id] === stream, stream.exchange.task == nil { stream.exchange.task = task }
    }

    private func body(of stream: HTTP2Stream) -> RequestBody {
        guard stream.exchange.request.upgrade == nil else { return .empty }
        // Bytes that are given at once have no trailers.
        if stream.inputEnded, stream.trailers == nil {
            guard stream.inbox.readableBytes > 0 else { return .empty }
            stream.exchange.owesContinue = false
            let bytes = stream.takeInbox()
            // The client may send no more on this stream, but on the others.
            heldBytes -= bytes.readableBytes
            openConnectionWindow()
            return .bytes(bytes)
        }
        return .stream(
            length: stream.promisedBytes,
            ConnectionBodyStream(
                connection: NIOLoopBound(self, eventLoop: loop.eventLoop), eventLoop: loop.eventLoop, exchange: stream.number))
    }

    /// The stream of an exchange, unless that is over or has been taken from its responder.
    func stream(_ number: UInt64) -> HTTP2Stream? {
        guard let stream = streams[HTTP2StreamID(Int(number))], !stream.isTaken else { return nil }
        return stream
    }

    /// Answers what turned out to be no request, or never to be complete, in the responder's place.
    func fail(_ stream: HTTP2Stream, _ fault: RequestFault, with error: BodyError) {
        let waiting = stream.exchange.bodyReader
        stream.exchange.bodyReader = nil
        stream.isTaken = true
        stream.exchange.cancel()
        if stream.exchange.status == nil {
            respond(service.problem(fault.problem, stream.exchange), to: stream)
            flush()
        } else if !stream.outputEnded {
            reset(stream, .cancel)
        }
        waiting?(.failure(error))
    }
}
