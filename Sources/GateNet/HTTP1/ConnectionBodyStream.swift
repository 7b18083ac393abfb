import GateHTTP
import NIOCore

/// The body of a request on its way, see ``BodyStream``.
struct ConnectionBodyStream<Connection: BodyCarrier>: BodyStream {
    let connection: NIOLoopBound<Connection>
    let eventLoop: any EventLoop
    let exchange: UInt64

    func next() async throws(BodyError) -> ByteBuffer? {
        if eventLoop.inEventLoop, let ready = connection.value.bodyPart(for: exchange) { return try ready.get() }
        let result: Result<ByteBuffer?, BodyError> = await withTaskCancellationHandler {
            if Task.isCancelled { return .failure(.disconnected) }
            return await withCheckedContinuation { continuation in
                eventLoop.run { connection.value.awaitBody(exchange, continuation) }
            }
        } onCancel: {
            eventLoop.execute { connection.value.cancelBody(exchange) }
        }
        return try result.get()
    }
}
