import Glibc
import NIOCore
import NIOPosix
import Synchronization

@testable import GateNet

/// A server that does what a script says, connection by connection, whatever it is asked.
final class ScriptedServer: Sendable {
    enum Step: Sendable {
        /// Until that much more text, as often as it is there, has come from the client.
        case await(String)
        case send(String)
        /// Ends this side in an orderly way.
        case close
        /// Resets the connection.
        case reset
        /// Closes the socket without a word of TLS.
        case cut
        /// Until the client closes.
        case awaitEnd
        /// Takes in no more.
        case deafen
    }

    let port: Int
    private let channel: any Channel
    private let log: Log

    /// - Parameter scripts: one for each connection in turn; the last one for all that follow.
    init(_ scripts: [[Step]], decorator: (any ConnectionDecorator)? = nil) async throws {
        let log = Log()
        self.log = log
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { channel in
                let serve: @Sendable (ApplicationProtocol) throws -> Void = { _ in
                    let number = log.begin()
                    try channel.pipeline.syncOperations.addHandler(
                        Actor(scripts[min(number, scripts.count - 1)], number: number, log: log))
                }
                return channel.eventLoop.makeCompletedFuture {
                    if let decorator { try decorator.decorate(channel, onLoop: 0, serve: serve) } else { try serve(.http1) }
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress!.port!
    }

    static func run(
        _ scripts: [Step]..., decorator: (any ConnectionDecorator)? = nil, body: (ScriptedServer) async throws -> Void
    ) async throws {
        let server = try await ScriptedServer(scripts, decorator: decorator)
        do {
            try await body(server)
        } catch {
            try? await server.channel.close()
            throw error
        }
        try await server.channel.close()
    }

    /// A port that nobody listens on: it was free a moment ago.
    static func freePort() async throws -> Int {
        let server = try await ScriptedServer([[]])
        try await server.channel.close()
        return server.port
    }

    /// What each connection has received.
    var received: [String] { log.texts.withLock { $0 } }
    /// One element for each connection that the client has closed.
    var ended: AsyncStream<Int> { log.ended.stream }

    /// The next connection, by its number.
    func accepted() async throws -> Int? { await log.accepted.stream.first { _ in true } }

    final class Log: Sendable {
        let texts = Mutex<[String]>([])
        let accepted = AsyncStream<Int>.makeStream()
        let ended = AsyncStream<Int>.makeStream()

        func begin() -> Int {
            let number = texts.withLock { texts in
                texts.append("")
                return texts.count - 1
            }
            accepted.continuation.yield(number)
            return number
        }
    }

    private final class Actor: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private var steps: ArraySlice<Step>
        private let number: Int
        private let log: Log
        private var unread = ""
        private var isEnded = false
        private var isDeaf = false

        init(_ steps: [Step], number: Int, log: Log) {
            self.steps = steps[...]
            self.number = number
            self.log = log
        }

        func handlerAdded(context: ChannelHandlerContext) {
            if context.channel.isActive { start(context) }
        }

        func channelActive(context: ChannelHandlerContext) { start(context) }

        private func start(_ context: ChannelHandlerContext) {
            context.read()
            proceed(context)
        }

        func channelReadComplete(context: ChannelHandlerContext) {
            if !isDeaf { context.read() }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let text = String(buffer: unwrapInboundIn(data))
            unread += text
            log.texts.withLock { $0[number] += text }
            proceed(context)
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if event as? ChannelEvent == .inputClosed { end(context) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
        func channelInactive(context: ChannelHandlerContext) { end(context) }

        private func end(_ context: ChannelHandlerContext) {
            guard !isEnded else { return }
            isEnded = true
            log.ended.continuation.yield(number)
            proceed(context)
        }

        private func proceed(_ context: ChannelHandlerContext) {
            while let step = steps.popFirst() {
                switch step {
                case .await(let text):
                    guard let found = unread.firstRange(of: text) else {
                        steps = [step] + steps
                        // Megabytes are not searched again and again.
                        unread = String(decoding: unread.utf8.suffix(text.utf8.count - 1), as: UTF8.self)
                        return
                    }
                    unread = String(unread[found.upperBound...])
                case .send(let text): context.writeAndFlush(NIOAny(ByteBuffer(string: text)), promise: nil)
                case .close: context.close(promise: nil)
                case .deafen: isDeaf = true
                case .reset:
                    let channel = context.channel
                    (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
                        .whenComplete { _ in channel.close(promise: nil) }
                case .cut:
                    context.triggerUserOutboundEvent(AbortiveClose(), promise: nil)
                    context.close(promise: nil)
                case .awaitEnd:
                    guard isEnded else {
                        steps = [step] + steps
                        return
                    }
                }
            }
            if isEnded { context.close(promise: nil) }
        }
    }
}
