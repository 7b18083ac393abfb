import GateCore
import GateHTTP
import NIOCore
import NIOHPACK
import NIOHTTP1
import NIOHTTP2

extension HTTP2Connection {
    /// Sends the response on `stream`, or the head of it where the body is a stream. A second one is dropped.
    func respond(_ response: Response, to stream: HTTP2Stream) {
        let exchange = stream.exchange
        guard exchange.status == nil else { return }
        if let problem = Self.problem(of: response, for: exchange) {
            respond(service.problem(problem, exchange), to: stream)
            return
        }
        var response = response
        if service.configuration.compresses { ContentCoding.apply(to: &response, for: exchange.request.headers, loop: loop) }
        response.body = response.body.withoutFile
        let mayHaveBody = response.status.mayHaveResponseBody
        let length = mayHaveBody ? response.body.length : nil
        guard
            let head = encoder.encode(
                response, length: length, id: exchange.request.id, date: loop.dateValue(at: exchange.request.receivedAt))
        else {
            // A field that would end early where HTTP/1 carries it on is our fault, and must not reach the client.
            respond(service.problem(Problem(.internal), exchange), to: stream)
            return
        }
        exchange.status = response.status
        exchange.framing = length.map { .length($0) } ?? .chunked
        switch response.body {
        case .bytes(let bytes) where mayHaveBody && !exchange.isHEAD && bytes.readableBytes > 0:
            write(.headers(.init(headers: head)), on: stream.id)
            exchange.sentBytes = bytes.readableBytes
            end(stream, .data(.init(data: .byteBuffer(bytes), endStream: true)))
        case .stream(_, let produce) where mayHaveBody && !exchange.isHEAD:
            write(.headers(.init(headers: head)), on: stream.id)
            self.stream(produce, on: stream)
        case .tunnel(let use):
            exchange.status = .ok
            write(.headers(.init(headers: head)), on: stream.id)
            tunnel(use, on: stream)
        default: end(stream, .headers(.init(headers: head, endStream: true)))
        }
    }

    /// What is said in the place of a response that cannot be sent as it is: 101 only with a tunnel to a client that asked for one, and
    /// nothing else below 200. A client that asked for a tunnel would take any 2xx for it (RFC 9110 §9.3.6).
    private static func problem(of response: Response, for exchange: CurrentExchange) -> Problem? {
        if case .tunnel = response.body {
            return response.status == .switchingProtocols && exchange.request.upgrade != nil ? nil : Problem(.internal)
        }
        if response.status.code < 200 { return Problem(.internal) }
        guard let upgrade = exchange.request.upgrade, response.status.code < 300 else { return nil }
        return Problem(.notImplemented, "The protocol \(upgrade) is not spoken here.")
    }

    /// Ends the response with its last frame.
    private func end(_ stream: HTTP2Stream, _ last: HTTP2Frame.FramePayload) {
        let exchange = stream.exchange
        stream.readDeadline = nil
        exchange.bodyReader?(.failure(.disconnected))
        exchange.bodyReader = nil
        dropInbox(stream)
        finish(stream, last)
    }

    /// The last frame is with the kernel, or could not be written.
    func ended(_ stream: HTTP2Stream, _ result: Result<Void, any Error>) {
        if stream.exchange.tunnel != nil {
            outputEnded(ofTunnel: stream, result)
            return
        }
        if case .failure(let error) = result {
            // A stream that is closed has been reset already, for its own reason.
            if error is NIOHTTP2Errors.StreamClosed { abort(stream) } else { reset(stream, .internalError) }
            leaveIfDone()
            return
        }
        complete(stream)
    }

    /// The exchange is over: the response is with the kernel.
    func complete(_ stream: HTTP2Stream) {
        let now = service.monotonic()
        service.observer.finished(stream.exchange.finished(at: now, isAborted: false))
        stream.isAnswered = true
        if stream.inputEnded {
            remove(stream)
            leaveIfDone()
        } else {
            drain(stream, at: now)
        }
    }

    private func stream(_ produce: @escaping @Sendable (any BodyWriter) async throws -> Void, on stream: HTTP2Stream) {
        let connection = NIOLoopBound(self, eventLoop: loop.eventLoop)
        let number = stream.number
        let writer = ConnectionBodyWriter(connection: connection, eventLoop: loop.eventLoop, exchange: number)
        // A response that came later is in its exchange's task already; its stream gets one of its own, and that is the one to cancel.
        stream.exchange.task = nil
        run(stream) {
            let isWhole: Bool
            do {
                try await produce(writer)
                isWhole = true
            } catch {
                isWhole = false
            }
            connection.value.endBody(number, isWhole: isWhole)
        }
        if !isInRead { flushIfNeeded() }
    }

    private func endBody(_ number: UInt64, isWhole: Bool) {
        guard let stream = stream(number) else { return }
        if case .length(let length) = stream.exchange.framing, length != stream.exchange.sentBytes {
            reset(stream, .internalError)
        } else if isWhole {
            if let trailers = HTTP2ResponseHead.trailers(stream.exchange.trailers) {
                end(stream, .headers(.init(headers: trailers, endStream: true)))
            } else {
                end(stream, .data(.init(data: .byteBuffer(ByteBuffer()), endStream: true)))
            }
            flush()
        } else {
            reset(stream, .internalError)
        }
    }

    func writePart(_ part: ByteBuffer, of exchange: UInt64) -> Result<Void, BodyError>? {
        guard let stream = stream(exchange), !stream.outputEnded else { return .failure(.disconnected) }
        let count = part.readableBytes
        guard count > 0 else { return .success(()) }
        if case .length(let length) = stream.exchange.framing, stream.exchange.sentBytes + count > length {
            reset(stream, .internalError)
            return .failure(.disconnected)
        }
        stream.exchange.sentBytes += count
        send(part, on: stream)
        flush()
        return stream.pendingBytes < HTTP2Window.outbound ? .success(()) : nil
    }

    func awaitRoom(_ exchange: UInt64, _ continuation: CheckedContinuation<Result<Void, BodyError>, Never>) {
        guard let stream = stream(exchange), stream.exchange.bodyWriter == nil else {
            continuation.resume(returning: .failure(.disconnected))
            return
        }
        guard stream.pendingBytes >= HTTP2Window.outbound else {
            continuation.resume(returning: .success(()))
            return
        }
        stream.exchange.bodyWriter = { continuation.resume(returning: $0) }
        flushIfNeeded()
    }

    func setTrailers(_ fields: HTTPHeaders, of exchange: UInt64) {
        stream(exchange)?.exchange.trailers = fields
    }

    func cancelWrite(_ exchange: UInt64) {
        guard let stream = stream(exchange), let waiting = stream.exchange.bodyWriter else { return }
        stream.exchange.bodyWriter = nil
        waiting(.failure(.disconnected))
    }
}

extension ResponseBody {
    /// What becomes `Content-Length`.
    var length: Int? {
        switch self {
        case .empty: 0
        case .bytes(let bytes): bytes.readableBytes
        case .file(let body): body.range.count
        case .stream(let length, _): length
        case .tunnel: nil
        }
    }
}
