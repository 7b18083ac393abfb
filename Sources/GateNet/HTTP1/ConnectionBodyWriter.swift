import GateHTTP
import NIOCore
import NIOHTTP1

/// The way out of a streamed response, see ``BodyWriter``.
struct ConnectionBodyWriter<Connection: BodyCarrier>: BodyWriter {
    let connection: NIOLoopBound<Connection>
    let eventLoop: any EventLoop
    let exchange: UInt64

    func write(_ part: ByteBuffer) async throws(BodyError) {
        let written = eventLoop.inEventLoop ? connection.value.writePart(part, of: exchange) : await hop(part)
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

    func trailers(_ fields: HTTPHeaders) async {}

    private func hop(_ part: ByteBuffer) async -> Result<Void, BodyError>? {
        await withCheckedContinuation { continuation in
            eventLoop.execute { continuation.resume(returning: connection.value.writePart(part, of: exchange)) }
        }
    }
}
