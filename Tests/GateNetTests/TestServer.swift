import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

@testable import GateNet

/// Answers by a closure.
struct ClosureResponder: Responder {
    let answer: @Sendable (Request) -> Answer
    func respond(to request: Request) -> Answer { answer(request) }
}

/// Keeps what it is told, and lets a test await it.
final class RecordingObserver: ExchangeObserver {
    private let exchanges = Mutex<[Exchange]>([])
    let stream: AsyncStream<Exchange>
    private let continuation: AsyncStream<Exchange>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    var all: [Exchange] { exchanges.withLock { $0 } }

    func finished(_ exchange: Exchange) {
        exchanges.withLock { $0.append(exchange) }
        continuation.yield(exchange)
    }
}

/// A server on a free port of the loopback interface, for the time of `body`.
struct TestServer: Sendable {
    let server: HTTPServer
    let observer: RecordingObserver
    let port: Int

    static func run(
        _ configuration: HTTPServerConfiguration = HTTPServerConfiguration(), decorator: (any ConnectionDecorator)? = nil,
        answer: @escaping @Sendable (Request) -> Answer = { _ in .now(.text(.ok, "hello")) },
        _ body: (TestServer) async throws -> Void
    ) async throws {
        let observer = RecordingObserver()
        let server = HTTPServer(
            [Listener(.tcp(host: "127.0.0.1", port: 0), decorator: decorator)], configuration: configuration,
            responder: ClosureResponder(answer: answer),
            observer: observer, group: MultiThreadedEventLoopGroup.singleton)
        let port = try await server.start()[0].port!
        do {
            try await body(TestServer(server: server, observer: observer, port: port))
        } catch {
            await server.shutdownGracefully(within: .zero)
            throw error
        }
        await server.shutdownGracefully(within: .zero)
    }

    func connect() async throws -> RawClient { try await RawClient(port: port) }

    /// Sends `request` and reads to the end of the connection.
    func exchange(_ request: String) async throws -> String {
        let client = try await connect()
        try await client.send(request)
        return try await client.readToEnd()
    }
}

extension HTTPServerConfiguration {
    static func with(_ change: (inout HTTPServerConfiguration) -> Void) -> HTTPServerConfiguration {
        var configuration = HTTPServerConfiguration()
        change(&configuration)
        return configuration
    }
}
