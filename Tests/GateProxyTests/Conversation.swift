import NIOCore
import NIOPosix

/// One end of a connection, spoken by a test in plain text.
final class Conversation: Sendable {
    struct TimedOut: Error {
        let received: String
    }

    private let channel: any Channel
    private let inbox: NIOLoopBound<Inbox>

    fileprivate init(_ channel: any Channel, _ inbox: NIOLoopBound<Inbox>) {
        self.channel = channel
        self.inbox = inbox
    }

    /// Adds a conversation to a channel that has just been made.
    static func begin(on channel: any Channel) throws -> Conversation {
        let inbox = Inbox()
        try channel.pipeline.syncOperations.addHandler(inbox)
        return Conversation(channel, NIOLoopBound(inbox, eventLoop: channel.eventLoop))
    }

    static func connect(port: Int) async throws -> Conversation {
        try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture { try begin(on: channel) }
            }
    }

    deinit { channel.close(promise: nil) }

    func send(_ text: String) async throws { try await channel.writeAndFlush(ByteBuffer(string: text)) }
    func close() async { try? await channel.close() }
    func endOutput() async throws { try await channel.close(mode: .output) }
    /// Reads no more, so that what the other end writes piles up.
    func pause() async throws { try await channel.setOption(.autoRead, value: false).get() }
    func goOn() async throws { try await channel.setOption(.autoRead, value: true).get() }

    /// What has come up to and with `text`, which is then taken off with it; what came before the end where that comes first.
    func read(until text: String) async throws -> String {
        let sought = Array(text.utf8)
        return try await wait { inbox in
            if let found = inbox.bytes.firstRange(of: sought) { return found.upperBound }
            return inbox.isEnded ? inbox.bytes.count : nil
        }
    }

    /// The head of a message, with its empty line.
    func head() async throws -> String { try await read(until: "\r\n\r\n") }

    func read(_ count: Int) async throws -> String {
        try await wait { inbox in inbox.bytes.count >= count ? count : inbox.isEnded ? inbox.bytes.count : nil }
    }

    /// All that comes until the other end has closed its direction, or broken off.
    func readToEnd() async throws -> String { try await wait { $0.isEnded ? $0.bytes.count : nil } }

    private func wait(_ count: @escaping @Sendable (Inbox) -> Int?) async throws -> String {
        let inbox = inbox
        let loop = channel.eventLoop
        return try await loop.flatSubmit {
            let promise = loop.makePromise(of: String.self)
            inbox.value.wait(count, promise)
            let deadline = loop.scheduleTask(in: .seconds(10)) {
                promise.fail(TimedOut(received: String(decoding: inbox.value.bytes, as: UTF8.self)))
            }
            promise.futureResult.whenComplete { _ in deadline.cancel() }
            return promise.futureResult
        }.get()
    }

    fileprivate final class Inbox: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        var bytes: [UInt8] = []
        var isEnded = false
        private var waiting: (count: (Inbox) -> Int?, promise: EventLoopPromise<String>)?

        func wait(_ count: @escaping (Inbox) -> Int?, _ promise: EventLoopPromise<String>) {
            waiting = (count, promise)
            check()
        }

        private func check() {
            guard let (count, promise) = waiting, let found = count(self) else { return }
            waiting = nil
            let taken = bytes.prefix(found)
            bytes.removeFirst(found)
            promise.succeed(String(decoding: taken, as: UTF8.self))
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            bytes += Array(buffer: unwrapInboundIn(data))
            check()
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if event as? ChannelEvent == .inputClosed { end() }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
        func channelInactive(context: ChannelHandlerContext) { end() }

        private func end() {
            isEnded = true
            check()
        }
    }
}

/// An application that a test plays itself, connection by connection and byte by byte.
final class StandIn: Sendable {
    let port: Int
    private let channel: any Channel
    private let accepted: AsyncStream<Conversation>

    init() async throws {
        let (stream, continuation) = AsyncStream<Conversation>.makeStream()
        accepted = stream
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { continuation.yield(try Conversation.begin(on: channel)) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress!.port!
    }

    deinit { channel.close(promise: nil) }

    /// The next connection.
    func accept() async throws -> Conversation {
        guard let next = await accepted.first(where: { _ in true }) else { throw CancellationError() }
        return next
    }

    /// From now on, connections are refused.
    func close() async { try? await channel.close() }

    /// A port that nobody listens on: it was free a moment ago.
    static func freePort() async throws -> Int {
        let standIn = try await StandIn()
        await standIn.close()
        return standIn.port
    }
}
