import GateHTTP
import NIOCore
import NIOHTTP1

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

    var trailers: HTTPHeaders {
        get async { await eventLoop.value { connection.value.trailers(of: exchange) } }
    }
}

extension EventLoop {
    /// What `work` gives on this loop: at once where that is the caller's.
    func value<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        if inEventLoop { return work() }
        return await withCheckedContinuation { continuation in
            execute { continuation.resume(returning: work()) }
        }
    }
}
