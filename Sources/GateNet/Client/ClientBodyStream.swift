import GateHTTP
import NIOCore

/// The body of a response on its way, see ``BodyStream``. Letting go of it before its end breaks the exchange off.
final class ClientBodyStream: BodyStream {
    private let connection: NIOLoopBound<ClientConnection>
    private let eventLoop: any EventLoop
    private let executor: EventLoopExecutor
    private let exchange: Int

    /// To be made on the connection's event loop.
    init(_ connection: ClientConnection, exchange: Int) {
        self.connection = NIOLoopBound(connection, eventLoop: connection.loop.eventLoop)
        self.exchange = exchange
        eventLoop = connection.loop.eventLoop
        executor = connection.loop.executor
    }

    deinit {
        eventLoop.run { [connection, exchange] in connection.value.abandon(exchange) }
    }

    func next() async throws(BodyError) -> ByteBuffer? {
        if eventLoop.inEventLoop, let ready = connection.value.readyPart(of: exchange) { return try Self.part(ready) }
        let result = await withTaskCancellationHandler {
            await withTaskExecutorPreference(executor) { await connection.value.part(of: exchange) }
        } onCancel: {
            eventLoop.execute { [connection, exchange] in connection.value.abandon(exchange) }
        }
        return try Self.part(result)
    }

    private static func part(_ result: Result<ByteBuffer?, OutgoingError>) throws(BodyError) -> ByteBuffer? {
        do throws(OutgoingError) {
            return try result.get()
        } catch {
            throw switch error.reason {
            case .timedOut: .timedOut
            case .badResponse: .malformed
            default: .disconnected
            }
        }
    }
}

extension ClientConnection {
    /// The next part for the reader of that exchange, where it is there already; `nil` in the result after the last.
    func readyPart(of number: Int) -> Result<ByteBuffer?, OutgoingError>? {
        guard state.count == number else { return .success(nil) }
        if let failure { return .failure(failure) }
        guard call != nil else { return .success(nil) }
        return ready().map { step in step.map { if case .part(let part) = $0 { part } else { nil } } }
    }

    func part(of number: Int) async -> Result<ByteBuffer?, OutgoingError> {
        if let ready = readyPart(of: number) { return ready }
        do throws(OutgoingError) { return .success(try await nextPart()) } catch { return .failure(error) }
    }

    /// Breaks that exchange off where it has not ended.
    func abandon(_ number: Int) {
        guard state.count == number, call != nil else { return }
        fail(.cancelled(destination))
    }
}
