package import GateHTTP
package import NIOCore
package import NIOHTTP1
import Synchronization

/// The body of a response on its way, see ``BodyStream``. Letting go of it before its end breaks the exchange off.
package final class ResponseBodyStream: BodyStream {
    enum Step: Sendable {
        /// Never empty.
        case part(ByteBuffer)
        case end(HTTPHeaders?)
    }

    private struct Source {
        let connection: NIOLoopBound<ClientConnection>
        let eventLoop: any EventLoop
        let exchange: Int
    }

    /// `nil` where everything came with the head.
    private let source: Source?
    /// What came with the head, where that is everything; and, after the end, the trailers.
    private let rest: Mutex<(part: ByteBuffer?, trailers: HTTPHeaders?)>

    /// To be made on the connection's event loop.
    init(_ connection: ClientConnection, exchange: Int) {
        let eventLoop = connection.loop.eventLoop
        source = Source(connection: NIOLoopBound(connection, eventLoop: eventLoop), eventLoop: eventLoop, exchange: exchange)
        rest = Mutex((nil, nil))
    }

    init(_ whole: ByteBuffer, _ trailers: HTTPHeaders?) {
        source = nil
        rest = Mutex((whole.readableBytes > 0 ? whole : nil, trailers))
    }

    deinit {
        guard let source else { return }
        source.eventLoop.run { source.connection.value.abandon(source.exchange, .cancelled(source.connection.value.destination)) }
    }

    package func next() async throws(BodyError) -> ByteBuffer? {
        do throws(OutgoingError) {
            switch try await step().get() {
            case .part(let part): return part
            case .end: return nil
            }
        } catch {
            throw BodyError(error)
        }
    }

    package var trailers: HTTPHeaders {
        get async { rest.withLock { $0.trailers ?? [:] } }
    }

    func step() async -> ClientConnection.PartResult {
        guard let source else {
            return rest.withLock { rest in
                let part = rest.part
                rest.part = nil
                return .success(part.map { .part($0) } ?? .end(nil))
            }
        }
        let result = await Self.step(source)
        if case .success(.end(let trailers)) = result, let trailers { rest.withLock { $0.trailers = trailers } }
        return result
    }

    private static func step(_ source: Source) async -> ClientConnection.PartResult {
        if source.eventLoop.inEventLoop, let ready = source.connection.value.readyPart(of: source.exchange) { return ready }
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                source.eventLoop.run { source.connection.value.awaitPart(of: source.exchange, continuation) }
            }
        } onCancel: {
            source.eventLoop.execute {
                source.connection.value.abandon(source.exchange, .cancelled(source.connection.value.destination))
            }
        }
    }

    /// Breaks the exchange off for that reason. To be called on the connection's event loop.
    func breakOff(_ error: OutgoingError) { source?.connection.value.abandon(source!.exchange, error) }
}

extension BodyError {
    /// What a reader of a body is told.
    init(_ error: OutgoingError) {
        self =
            switch error.reason {
            case .timedOut: .timedOut
            case .badResponse: .malformed
            default: .disconnected
            }
    }
}
