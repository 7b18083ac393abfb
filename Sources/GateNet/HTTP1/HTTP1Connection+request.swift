import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1

extension HTTP1Connection {
    /// Hands a request to the responder.
    func begin(_ head: RequestHead) {
        let now = service.monotonic()
        phase = .exchange
        isReadingHead = false
        readDeadline = nil
        exchangeCount += 1
        let id = service.passedID(of: head, peer: peer) ?? loop.nextRequestID()
        let (client, scheme, authority) = service.origin(of: head, peer: peer, scheme: scheme)
        var target = RequestTarget.root
        if case .origin(let asked) = head.target { target = asked }
        var request = Request(
            id: id, method: head.method, target: target, headers: head.headers, peer: peer, client: client, scheme: scheme,
            authority: authority, version: head.version, upgrade: head.upgrade, receivedAt: now)
        let body = takeBody(head.framing)
        let isBodyOutstanding = if case .stream = body { true } else { false }
        current = CurrentExchange(
            number: exchangeCount, request: request, keepsAlive: head.keepsAlive, owesContinue: head.expectsContinue && isBodyOutstanding)
        guard case .origin = head.target else {
            respond(Response(.noContent), to: exchangeCount)
            return
        }
        if case .empty = body {} else { request = request.with(body: body) }
        answer(service.responder.respond(to: request), to: exchangeCount)
    }

    private func answer(_ answer: Answer, to number: UInt64) {
        switch answer {
        case .now(let response): respond(response, to: number)
        case .pending(let pending):
            current?.pending = pending
            pending.whenResolved { [self] response in
                if current?.number == number { current?.pending = nil }
                respond(response, to: number)
                resume()
            }
        case .later(let respond):
            let connection = NIOLoopBound(self, eventLoop: loop.eventLoop)
            run(number) {
                let response = await respond()
                connection.value.respond(response, to: number)
                connection.value.resume()
            }
        }
    }

    /// Runs `operation` on this connection's event loop, as the task that ends with the exchange of that number.
    func run(_ number: UInt64, _ operation: @escaping @Sendable () async -> Void) {
        let task = Task.immediate(executorPreference: loop.executor, operation: operation)
        if current?.number == number, current?.task == nil { current?.task = task }
    }

    /// A body that has come with its head is given as bytes; the rest as a stream.
    private func takeBody(_ framing: RequestHead.Framing) -> RequestBody {
        switch framing {
        case .none: return .empty
        case .length(let length):
            if reader.bufferedBytes >= length, case .part(let bytes)? = try? reader.nextBodyPart() {
                return .bytes(bytes)
            }
            return .stream(length: length, stream)
        case .chunked: return .stream(length: nil, stream)
        }
    }

    private var stream: ConnectionBodyStream<HTTP1Connection> {
        ConnectionBodyStream(connection: NIOLoopBound(self, eventLoop: loop.eventLoop), eventLoop: loop.eventLoop, exchange: exchangeCount)
    }

    /// The next part for the reader of the body, where it is there already; `nil` where it has to be waited for.
    func bodyPart(for number: UInt64) -> Result<ByteBuffer?, BodyError>? {
        guard let current, current.number == number else { return .failure(.disconnected) }
        guard current.tunnel == nil else { return tunnelPart() }
        do throws(RequestFault) {
            switch try reader.nextBodyPart() {
            case .part(let part):
                self.current?.bodyBytes += part.readableBytes
                self.current?.owesContinue = false
                readOn()
                return .success(part)
            case .end: return .success(nil)
            case .needsMore:
                if inputEnded { return .failure(.disconnected) }
                return nil
            }
        } catch {
            fail(error, with: .malformed)
            return .failure(.malformed)
        }
    }

    func awaitBody(_ number: UInt64, _ continuation: CheckedContinuation<Result<ByteBuffer?, BodyError>, Never>) {
        if let ready = bodyPart(for: number) {
            continuation.resume(returning: ready)
            return
        }
        guard current?.bodyReader == nil else {
            continuation.resume(returning: .failure(.disconnected))
            return
        }
        current?.bodyReader = { continuation.resume(returning: $0) }
        if current?.owesContinue == true, current?.status == nil {
            current?.owesContinue = false
            context.write(wrapOutboundOut(ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n")), promise: nil)
            flush()
        }
        if current?.tunnel == nil { readDeadline = current?.awaitBody(since: service.monotonic(), limits) }
        readOn()
    }

    func cancelBody(_ number: UInt64) {
        guard current?.number == number, let waiting = current?.bodyReader else { return }
        current?.bodyReader = nil
        readDeadline = nil
        waiting(.failure(.disconnected))
    }

    func trailers(of number: UInt64) -> HTTPHeaders {
        guard current?.number == number, reader.isBodyComplete else { return [:] }
        return reader.trailers ?? [:]
    }

    /// Gives what has come to who waits for it.
    func feedBody() {
        guard let exchange = current, let waiting = exchange.bodyReader else { return }
        let number = exchange.number
        guard let part = bodyPart(for: number) else { return }
        guard current?.number == number, current?.bodyReader != nil else { return }
        current?.endBodyWait(at: service.monotonic())
        current?.bodyReader = nil
        readDeadline = nil
        waiting(part)
    }

    /// Drops what has come of a body that nobody read; whether to go on.
    func drain(_ soFar: Int) -> Bool {
        var soFar = soFar
        do throws(RequestFault) {
            while true {
                switch try reader.nextBodyPart() {
                case .part(let part):
                    soFar += part.readableBytes
                    guard soFar <= limits.drainSize else {
                        close(lingers: true)
                        return false
                    }
                case .end:
                    awaitRequest()
                    return true
                case .needsMore:
                    phase = .draining(soFar)
                    return false
                }
            }
        } catch {
            close(lingers: true)
            return false
        }
    }

    func awaitRequest() {
        phase = .head
        isReadingHead = false
        readDeadline = service.monotonic() + idleTime
    }
}
