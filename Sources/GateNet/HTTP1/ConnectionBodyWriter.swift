import GateHTTP
import NIOCore
import NIOHTTP1

/// The way out of a streamed response, see ``BodyWriter``.
struct ConnectionBodyWriter<Connection: BodyCarrier>: BodyWriter {
    let connection: NIOLoopBound<Connection>
    let eventLoop: any EventLoop
    let exchange: UInt64

    func write(_ part: ByteBuffer) async throws(BodyError) {
        let written =
            eventLoop.inEventLoop
            ? connection.value.writePart(part, of: exchange) : await eventLoop.value { connection.value.writePart(part, of: exchange) }
        if let written { return try written.get() }
        let result: Result<Void, BodyError> = await withTaskCancellationHandler {
            if Task.isCancelled { return .failure(.disconnected) }
            return await withCheckedContinuation { continuation in
                eventLoop.run { connection.value.awaitRoom(exchange, continuation) }
            }
        } onCancel: {
            eventLoop.execute { connection.value.cancelWrite(exchange) }
        }
        try result.get()
    }

    func trailers(_ fields: HTTPHeaders) async {
        await eventLoop.value { connection.value.setTrailers(fields, of: exchange) }
    }
}
