import GateHTTP
import NIOCore

/// A connection that the server has switched to another protocol (RFC 9110 §7.8), see ``Tunnel``. Letting go of it before both directions
/// have ended breaks it off.
final class ClientTunnel: Tunnel {
    private let input: ResponseBodyStream
    private let connection: NIOLoopBound<ClientConnection>
    private let eventLoop: any EventLoop
    private let executor: EventLoopExecutor
    private let exchange: Int

    /// To be made on the connection's event loop.
    init(_ connection: ClientConnection, exchange: Int) {
        input = ResponseBodyStream(connection, exchange: exchange)
        eventLoop = connection.loop.eventLoop
        executor = connection.loop.executor
        self.connection = NIOLoopBound(connection, eventLoop: eventLoop)
        self.exchange = exchange
    }

    func next() async throws(BodyError) -> ByteBuffer? { try await input.next() }

    func write(_ part: ByteBuffer) async throws(BodyError) {
        if eventLoop.inEventLoop, let ready = connection.value.writeThrough(part, of: exchange) { return try ready.get() }
        let result = await withTaskCancellationHandler {
            await withTaskExecutorPreference(executor) { await connection.value.sendThrough(part, of: exchange) }
        } onCancel: {
            eventLoop.execute { [connection, exchange] in
                connection.value.abandon(exchange, .cancelled(connection.value.destination))
            }
        }
        try result.get()
    }

    func finish() async throws(BodyError) {
        try await withTaskExecutorPreference(executor) { () async throws(BodyError) -> Void in
            try connection.value.finishThrough(exchange).get()
        }
    }
}
