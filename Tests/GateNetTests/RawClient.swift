import NIOCore
import NIOPosix

/// A connection of bytes, for what no HTTP client would send.
final class RawClient: Sendable {
    struct TimedOut: Error {
        let received: String
    }

    private let channel: any Channel
    private let inbox: NIOLoopBound<Inbox>

    init(port: Int, receives: Bool = true) async throws {
        let (channel, inbox) = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.autoRead, value: receives)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let inbox = Inbox()
                    try channel.pipeline.syncOperations.addHandler(inbox)
                    return (channel, NIOLoopBound(inbox, eventLoop: channel.eventLoop))
                }
            }
        self.channel = channel
        self.inbox = inbox
    }

    deinit { channel.close(promise: nil) }

    func send(_ text: String) async throws { try await send(Array(text.utf8)) }
    func send(_ bytes: [UInt8]) async throws { try await channel.writeAndFlush(ByteBuffer(bytes: bytes)) }
    func close() async { try? await channel.close() }
    func endInput() async throws { try await channel.close(mode: .output) }
    func receive() async throws { try await channel.setOption(.autoRead, value: true).get() }

    /// What comes until the server closes.
    func readToEnd() async throws -> String { try await read { $0.isEnded } }

    /// What has come once it holds `text` (so many times), which is then taken off.
    func read(until text: String, times: Int = 1) async throws -> String {
        try await read { $0.received.split(separator: text, omittingEmptySubsequences: false).count > times || $0.isEnded }
    }

    func read(bytes: Int) async throws -> String { try await read { $0.received.utf8.count >= bytes || $0.isEnded } }

    private func read(_ isDone: @escaping @Sendable (Inbox) -> Bool) async throws -> String {
        let inbox = inbox
        return try await channel.eventLoop.flatSubmit {
            let promise = inbox.value.wait(isDone, on: self.channel.eventLoop)
            let deadline = self.channel.eventLoop.scheduleTask(in: .seconds(10)) {
                promise.fail(TimedOut(received: inbox.value.received))
            }
            promise.futureResult.whenComplete { _ in deadline.cancel() }
            return promise.futureResult
        }.get()
    }

    final class Inbox: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        var received = ""
        var isEnded = false
        private var waiting: (isDone: (Inbox) -> Bool, promise: EventLoopPromise<String>)?

        func wait(_ isDone: @escaping (Inbox) -> Bool, on loop: any EventLoop) -> EventLoopPromise<String> {
            let promise = loop.makePromise(of: String.self)
            waiting = (isDone, promise)
            check()
            return promise
        }

        private func check() {
            guard let (isDone, promise) = waiting, isDone(self) else { return }
            waiting = nil
            promise.succeed(received)
            received = ""
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received += String(buffer: unwrapInboundIn(data))
            check()
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            guard event as? ChannelEvent == .inputClosed else { return }
            isEnded = true
            check()
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        func channelInactive(context: ChannelHandlerContext) {
            isEnded = true
            check()
        }
    }
}
