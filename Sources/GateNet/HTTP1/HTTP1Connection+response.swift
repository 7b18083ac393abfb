import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1

extension HTTP1Connection {
    /// Bodies up to this size are copied behind their head, so that one buffer goes out.
    private static let inlineBody = 16 << 10

    /// Sends the response to the exchange of that number, or the head of it where the body is a stream. A response to an exchange
    /// that is over, or answered, is dropped.
    func respond(_ response: Response, to number: UInt64) {
        guard let exchange = current, exchange.number == number, exchange.status == nil else { return }
        guard Self.isSound(response, for: exchange) else {
            respond(service.problem(Problem(.internal), exchange), to: number)
            return
        }
        guard service.configuration.compresses, ContentCoding.isWorthwhile(response.body) else {
            send(response, to: exchange)
            return
        }
        var response = response
        ContentCoding.apply(to: &response, for: exchange.request.headers, loop: loop)
        send(response, to: exchange)
    }

    private func send(_ response: Response, to exchange: CurrentExchange) {
        confirmByPromise()
        let number = exchange.number
        let hasBody = response.status.mayHaveResponseBody
        let framing = Self.framing(response.body, hasBody: hasBody, isHTTP11: exchange.isHTTP11)
        let staysOpen = exchange.keepsAlive && framing != .untilClose && mayStayOpen
        loop.output.clear(minimumCapacity: LoopContext.outputCapacity)
        guard
            ResponseHeadEncoder.encode(
                response, framing: framing, connection: Self.connection(response, exchange, staysOpen: staysOpen),
                id: exchange.request.id, date: loop.dateLine(at: exchange.request.receivedAt), into: &loop.output)
        else {
            // A field that would end early is our fault, and must not reach the client.
            respond(service.problem(Problem(.internal), exchange), to: number)
            return
        }
        exchange.status = response.status
        exchange.framing = framing
        exchange.staysOpen = staysOpen
        let sendsBody = hasBody && !exchange.isHEAD
        switch response.body {
        case .bytes(let bytes) where sendsBody:
            exchange.sentBytes = bytes.readableBytes
            guard bytes.readableBytes > Self.inlineBody else {
                loop.output.writeImmutableBuffer(bytes)
                finish()
                return
            }
            write(loop.output)
            finish(bytes)
        case .file(let body) where sendsBody:
            if body.range.count <= ResponseBody.inlineFile, body.appendCached(to: &loop.output) {
                exchange.sentBytes = body.range.count
                finish()
            } else {
                write(loop.output)
                // What is to be encrypted has to be read.
                if scheme == .http { sendFile(body, to: number) } else { stream({ try await body.write(to: $0) }, to: number) }
            }
        case .stream(_, let produce) where sendsBody:
            write(loop.output)
            stream(produce, to: number)
        case .tunnel(let use):
            write(loop.output)
            tunnel(use, to: number)
        default: finish()
        }
    }

    /// Whether it can be sent as it is: 101 with a tunnel to a client that asked for one, and nothing else below 200.
    private static func isSound(_ response: Response, for exchange: CurrentExchange) -> Bool {
        guard case .tunnel = response.body else { return response.status.code >= 200 }
        return response.status == .switchingProtocols && exchange.request.upgrade != nil
    }

    private static func connection(
        _ response: Response, _ exchange: CurrentExchange, staysOpen: Bool
    ) -> ResponseHeadEncoder.Connection {
        if case .tunnel = response.body {
            return response.headers.contains(name: "upgrade") ? .upgrade(nil) : .upgrade(exchange.request.upgrade)
        }
        guard staysOpen else { return .close }
        return exchange.isHTTP11 ? .keepAlive : .keepAliveSaid
    }

    private static func framing(_ body: ResponseBody, hasBody: Bool, isHTTP11: Bool) -> ResponseHeadEncoder.Framing {
        guard hasBody else { return .none }
        return switch body {
        case .empty: .length(0)
        case .bytes(let bytes): .length(bytes.readableBytes)
        case .file(let body): .length(body.range.count)
        case .stream(let length?, _): .length(length)
        case .stream(nil, _): isHTTP11 ? .chunked : .untilClose
        case .tunnel: .none
        }
    }

    /// Whether the connection can go on after this response: nobody wants it closed, and the next request can be found.
    private var mayStayOpen: Bool {
        if loop.isStopping || inputEnded { return false }
        if let most = limits.requestsPerConnection, exchangeCount >= UInt64(most) { return false }
        if reader.isBodyComplete { return true }
        // A client that waits for 100 Continue may send the body or not: there is no telling where the next request begins.
        return current?.owesContinue == false && (reader.promisedBytes ?? 0) <= limits.drainSize
    }

    private func write(_ bytes: ByteBuffer) {
        context.write(wrapOutboundOut(bytes), promise: nil)
        needsFlush = true
    }

    /// Writes a response that is in ``LoopContext/output`` as a whole, and turns to what comes next.
    private func finish() {
        // TLS holds it back.
        guard scheme == .http else {
            finish(loop.output)
            return
        }
        guard let exchange = endExchange() else { return }
        pendingWrites += 1
        context.write(wrapOutboundOut(loop.output), promise: nil)
        unconfirmed = (exchange, loop.outputStorage)
        turnToNext(after: exchange)
    }

    /// A channel lets go of what it was given to write once the kernel has all of it, or, where it closes, right before it becomes inactive,
    /// which ``ended()`` hears first. That holds as long as no handler in between copies what is written, and there is none but TLS's.
    /// Learning of it by a promise for each response would cost as much as reading a request.
    func flushed() {
        guard let unconfirmed else { return }
        guard loop.isReleased(unconfirmed.output) else {
            confirmByPromise()
            context.flush()
            return
        }
        self.unconfirmed = nil
        tell(of: unconfirmed.exchange, isAborted: false)
        wrote()
    }

    /// To be called before anything is written behind the response that is to be confirmed.
    private func confirmByPromise() {
        guard let exchange = unconfirmed?.exchange else { return }
        unconfirmed = nil
        write(ByteBuffer(), toFinish: exchange)
    }

    /// Writes the last bytes of the response, and turns to what comes next.
    func finish(_ bytes: ByteBuffer) {
        guard let exchange = endExchange() else { return }
        pendingWrites += 1
        write(bytes, toFinish: exchange)
        turnToNext(after: exchange)
    }

    private func write(_ bytes: ByteBuffer, toFinish exchange: CurrentExchange) {
        let written = loop.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { [self] result in
            let isAborted = if case .failure = result { true } else { false }
            tell(of: exchange, isAborted: isAborted)
            wrote()
        }
        context.write(wrapOutboundOut(bytes), promise: written)
    }

    func tell(of exchange: CurrentExchange, isAborted: Bool) {
        service.observer.finished(exchange.finished(at: service.monotonic(), isAborted: isAborted))
    }

    private func endExchange() -> CurrentExchange? {
        defer { current = nil }
        current?.bodyReader?(.failure(.disconnected))
        return current
    }

    private func turnToNext(after exchange: CurrentExchange) {
        if exchange.staysOpen {
            if reader.isBodyComplete {
                awaitRequest()
            } else {
                phase = .draining(0)
                readDeadline = service.monotonic() + limits.drainTime
            }
        } else {
            close(lingers: alwaysLingers || !reader.isBodyComplete || reader.bufferedBytes > 0)
        }
        flush()
        if pendingWrites > 0, !isInRead { armWriteDeadline() }
    }

    /// Closes once what has been written is out.
    func close(lingers: Bool) {
        phase = .closing(lingers: lingers)
        readDeadline = nil
        reader.discardBuffered()
        if pendingWrites == 0 { closeNow() }
    }

    func wrote() {
        pendingWrites -= 1
        guard pendingWrites == 0 else { return }
        writeDeadline = nil
        closeNow()
    }

    private func closeNow() {
        guard case .closing(let lingers) = phase, context != nil else { return }
        guard lingers, !inputEnded else {
            cutOff()
            return
        }
        readDeadline = service.monotonic() + limits.drainTime
        context.close(mode: .output, promise: nil)
        readOn()
    }

    func armWriteDeadline() {
        guard writeDeadline == nil else { return }
        writeDeadline = service.monotonic() + limits.writeIdleTime
        bufferedAtDeadline = bufferedBytes
    }

    private var bufferedBytes: Int {
        (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    /// Answers what could not become a request.
    func refuse(_ fault: RequestFault) {
        phase = .exchange
        exchangeCount += 1
        current = CurrentExchange(
            number: exchangeCount, id: loop.nextRequestID(), client: peer, receivedAt: service.monotonic())
        respondAndLinger(fault)
    }

    /// Takes the exchange from its responder, since its request has turned out to be none, or never to be complete.
    func fail(_ fault: RequestFault, with error: BodyError) {
        guard let exchange = current else { return }
        let waiting = exchange.bodyReader
        guard exchange.status == nil else {
            exchange.cancel()
            current?.bodyReader = nil
            waiting?(.failure(error))
            cutOff()
            return
        }
        exchangeCount += 1
        current = CurrentExchange(continuing: exchange, as: exchangeCount)
        exchange.cancel()
        respondAndLinger(fault)
        waiting?(.failure(error))
    }

    private func respondAndLinger(_ fault: RequestFault) {
        guard let exchange = current else { return }
        alwaysLingers = true
        respond(service.problem(fault.problem, exchange), to: exchange.number)
        if !isInRead { flushIfNeeded() }
    }

    func checkDeadlines(_ now: MonotonicInstant) {
        if exchangeCount == countAtCheck { reader.forgetFields() }
        countAtCheck = exchangeCount
        if pendingWrites > 0 || current?.bodyWriter != nil { armWriteDeadline() }
        if current?.sentFile?.isShortened == true {
            cutOff()
            return
        }
        if let writeDeadline, now >= writeDeadline {
            let buffered = bufferedBytes
            guard buffered < bufferedAtDeadline else {
                current?.bodyWriter?(.failure(.timedOut))
                current?.bodyWriter = nil
                cutOff()
                return
            }
            bufferedAtDeadline = buffered
            self.writeDeadline = now + limits.writeIdleTime
        }
        guard let readDeadline, now >= readDeadline else { return }
        self.readDeadline = nil
        switch phase {
        case .head where reader.bufferedBytes > 0:
            refuse(.timedOut("The head of the request took longer than \(limits.headTime.text)."))
        case .head where pendingWrites > 0:
            // The last response is still being read: the connection does not idle yet.
            self.readDeadline = now + idleTime
        case .head: cutOff()
        case .exchange: fail(.timedOut("Nothing of the body came for too long."), with: .timedOut)
        case .draining: close(lingers: true)
        case .closing: cutOff()
        case .tunnel, .closed: break
        }
    }
}
