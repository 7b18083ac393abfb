import GateHTTP
import NIOCore

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
        guard let exchange = current, exchange.number == number else { return .failure(.disconnected) }
        guard part.readableBytes > 0 else { return .success(()) }
        if case .length(let length) = exchange.framing, exchange.sentBytes + part.readableBytes > length {
            // More than was promised would be read as the next response.
            breakStream(number)
            return .failure(.disconnected)
        }
        current?.sentBytes += part.readableBytes
        if exchange.framing == .chunked {
            var frame = loop.eventLoop.frame(part.readableBytes)
            context.write(wrapOutboundOut(frame), promise: nil)
            context.write(wrapOutboundOut(part), promise: nil)
            frame = ByteBuffer(staticString: "\r\n")
            context.write(wrapOutboundOut(frame), promise: nil)
        } else {
            context.write(wrapOutboundOut(part), promise: nil)
        }
        flush()
        return context != nil && context.channel.isWritable ? .success(()) : nil
    }

    func awaitRoom(_ number: UInt64, _ continuation: CheckedContinuation<Result<Void, BodyError>, Never>) {
        guard let exchange = current, exchange.number == number, exchange.bodyWriter == nil else {
            continuation.resume(returning: .failure(.disconnected))
            return
        }
        guard !context.channel.isWritable else {
            continuation.resume(returning: .success(()))
            return
        }
        current?.bodyWriter = continuation
        flushIfNeeded()
        if current?.bodyWriter != nil { armWriteDeadline() }
    }

    func cancelWrite(_ number: UInt64) {
        guard current?.number == number, let waiting = current?.bodyWriter else { return }
        current?.bodyWriter = nil
        waiting.resume(returning: .failure(.disconnected))
    }

    func endStream(_ number: UInt64) {
        guard let exchange = current, exchange.number == number else { return }
        switch exchange.framing {
        case .length(let length) where length != exchange.sentBytes: breakStream(number)
        case .chunked: finish(ByteBuffer(staticString: "0\r\n\r\n"))
        default: finish(ByteBuffer())
        }
    }

    /// The client learns that the body is incomplete from its missing end: nothing else can be said after the head.
    func breakStream(_ number: UInt64) {
        guard current?.number == number else { return }
        flushIfNeeded()
        abortExchange()
        cutOff()
    }
}

extension ByteBuffer {
    init(staticString text: StaticString) {
        self.init()
        writeStaticString(text)
    }
}

extension EventLoop {
    /// The line before a chunk of that many bytes.
    func frame(_ size: Int) -> ByteBuffer { ByteBuffer(string: String(size, radix: 16) + "\r\n") }
}

/// The body of a request on its way, see ``BodyStream``.
struct ConnectionBodyStream: BodyStream {
    let connection: NIOLoopBound<HTTP1Connection>
    let eventLoop: any EventLoop
    let exchange: UInt64

    func next() async throws(BodyError) -> ByteBuffer? {
        if eventLoop.inEventLoop, let ready = connection.value.bodyPart(for: exchange) { return try ready.get() }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                eventLoop.run { connection.value.awaitBody(exchange, continuation) }
            }
        } onCancel: {
            eventLoop.execute { connection.value.cancelBody(exchange) }
        }
        return try result.get()
    }
}

/// The way out of a streamed response, see ``BodyWriter``.
struct ConnectionBodyWriter: BodyWriter {
    let connection: NIOLoopBound<HTTP1Connection>
    let eventLoop: any EventLoop
    let exchange: UInt64

    func write(_ part: ByteBuffer) async throws(BodyError) {
        let written = eventLoop.inEventLoop ? connection.value.writePart(part, of: exchange) : await hop(part)
        if let written { return try written.get() }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                eventLoop.run { connection.value.awaitRoom(exchange, continuation) }
            }
        } onCancel: {
            eventLoop.execute { connection.value.cancelWrite(exchange) }
        }
        try result.get()
    }

    private func hop(_ part: ByteBuffer) async -> Result<Void, BodyError>? {
        await withCheckedContinuation { continuation in
            eventLoop.execute { continuation.resume(returning: connection.value.writePart(part, of: exchange)) }
        }
    }
}

extension EventLoop {
    /// In place where this is the loop already.
    func run(_ work: @escaping @Sendable () -> Void) {
        if inEventLoop { work() } else { execute(work) }
    }
}
