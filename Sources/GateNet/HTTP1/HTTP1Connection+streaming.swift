import GateHTTP
import NIOCore
import NIOHTTP1

extension HTTP1Connection {
    func stream(_ produce: @escaping @Sendable (any BodyWriter) async throws -> Void, to number: UInt64) {
        let connection = NIOLoopBound(self, eventLoop: loop.eventLoop)
        let writer = ConnectionBodyWriter(connection: connection, eventLoop: loop.eventLoop, exchange: number)
        // A response that came later is in its exchange's task already; its stream gets one of its own, and that is the one to cancel.
        current?.task = nil
        run(number) {
            do {
                try await produce(writer)
                connection.value.endStream(number)
            } catch {
                connection.value.breakStream(number)
            }
            connection.value.resume()
        }
        if !isInRead { flushIfNeeded() }
    }

    /// `nil` where the writer has to wait for room.
    func writePart(_ part: ByteBuffer, of number: UInt64) -> Result<Void, BodyError>? {
        guard let exchange = current, exchange.number == number, exchange.mayWrite else { return .failure(.disconnected) }
        guard part.readableBytes > 0 else { return .success(()) }
        if case .length(let length) = exchange.framing, exchange.sentBytes + part.readableBytes > length {
            // More than was promised would be read as the next response.
            breakStream(number)
            return .failure(.disconnected)
        }
        current?.sentBytes += part.readableBytes
        if exchange.framing == .chunked {
            context.write(wrapOutboundOut(ByteBuffer(string: String(part.readableBytes, radix: 16) + "\r\n")), promise: nil)
            context.write(wrapOutboundOut(part), promise: nil)
            context.write(wrapOutboundOut(ByteBuffer(staticString: "\r\n")), promise: nil)
        } else {
            context.write(wrapOutboundOut(part), promise: nil)
        }
        flush()
        return context != nil && isWritable ? .success(()) : nil
    }

    func awaitRoom(_ number: UInt64, _ continuation: CheckedContinuation<Result<Void, BodyError>, Never>) {
        guard let exchange = current, exchange.number == number, exchange.bodyWriter == nil, exchange.mayWrite else {
            continuation.resume(returning: .failure(.disconnected))
            return
        }
        guard !isWritable else {
            continuation.resume(returning: .success(()))
            return
        }
        current?.bodyWriter = { continuation.resume(returning: $0) }
        flushIfNeeded()
        if current?.bodyWriter != nil { armWriteDeadline() }
    }

    func cancelWrite(_ number: UInt64) {
        guard current?.number == number, let waiting = current?.bodyWriter else { return }
        current?.bodyWriter = nil
        waiting(.failure(.disconnected))
    }

    func setTrailers(_ fields: HTTPHeaders, of number: UInt64) {
        guard let exchange = current, exchange.number == number else { return }
        exchange.trailers = fields
    }

    func endStream(_ number: UInt64) {
        guard let exchange = current, exchange.number == number else { return }
        switch exchange.framing {
        case .length(let length) where length != exchange.sentBytes: breakStream(number)
        case .chunked: finish(TrailerFields.lastChunk(exchange.trailers))
        default: finish(ByteBuffer())
        }
    }

    /// The client learns that the body is incomplete from its missing end: nothing else can be said after the head.
    func breakStream(_ number: UInt64) {
        guard current?.number == number else { return }
        flushIfNeeded()
        cutOff()
        abortExchange()
    }
}

extension ByteBuffer {
    init(staticString text: StaticString) {
        self.init()
        writeStaticString(text)
    }
}

extension EventLoop {
    /// In place where this is the loop already.
    func run(_ work: @escaping @Sendable () -> Void) {
        if inEventLoop { work() } else { execute(work) }
    }
}
