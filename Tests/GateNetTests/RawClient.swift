import NIOCore
import NIOPosix

@testable import GateNet

/// A connection of bytes, for what no HTTP client would send.
final class RawClient: Sendable {
    struct TimedOut: Error {
        let received: String
    }

    private let channel: any Channel
    private let inbox: NIOLoopBound<Inbox>

    /// - Parameter tls: how the server is to be trusted, and by which name.
    init(port: Int, receives: Bool = true, tls: (TLSClientConfiguration, String)? = nil) async throws {
        let (channel, inbox) = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.autoRead, value: receives)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let inbox = Inbox()
                    inbox.receives = receives
                    if let (configuration, host) = tls {
                        try channel.pipeline.syncOperations.addHandler(configuration.handler(for: host))
                    }
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
    /// The bytes and the end of the client's direction in one go, so that they can arrive together.
    func sendLast(_ text: String) async throws {
        try await channel.eventLoop.flatSubmit { [channel] in
            channel.write(ByteBuffer(string: text), promise: nil)
            channel.flush()
            return channel.close(mode: .output)
        }.get()
    }
    func endInput() async throws { try await channel.close(mode: .output) }
    func receive() async throws {
        try await channel.eventLoop.submit { [inbox] in inbox.value.receives = true }.get()
        try await channel.setOption(.autoRead, value: true).get()
    }

    /// What one read gives, where the rest is left in the kernel's buffers.
    func receiveOnce() async throws -> [UInt8] {
        channel.read()
        return try await wait { !$0.bytes.isEmpty || $0.isEnded }
    }

    /// Why the connection broke; to be asked at its end.
    func error() async throws -> (any Error)? { try await channel.eventLoop.submit { [inbox] in inbox.value.error }.get() }

    /// What comes until the server closes.
    func readToEnd() async throws -> String { try await read { $0.isEnded } }
    func readBytesToEnd() async throws -> [UInt8] { try await readBytes { _ in false } }

    /// What has come once `isDone` says so, or at the end.
    func readBytes(_ isDone: @escaping @Sendable ([UInt8]) -> Bool) async throws -> [UInt8] {
        try await wait { isDone($0.bytes) || $0.isEnded }
    }

    /// What has come once it holds `text` (so many times), which is then taken off.
    func read(until text: String, times: Int = 1) async throws -> String {
        let sought = Array(text.utf8)
        return try await read { inbox in
            if inbox.isEnded { return true }
            var rest = inbox.bytes[...]
            for _ in 0..<times {
                guard let found = rest.firstRange(of: sought) else { return false }
                rest = rest[found.upperBound...]
            }
            return true
        }
    }

    private func read(_ isDone: @escaping @Sendable (Inbox) -> Bool) async throws -> String {
        String(decoding: try await wait(isDone), as: UTF8.self)
    }

    private func wait(_ isDone: @escaping @Sendable (Inbox) -> Bool) async throws -> [UInt8] {
        let inbox = inbox
        return try await channel.eventLoop.flatSubmit {
            let promise = inbox.value.wait(isDone, on: self.channel.eventLoop)
            let deadline = self.channel.eventLoop.scheduleTask(in: .seconds(10)) {
                promise.fail(TimedOut(received: String(decoding: inbox.value.bytes, as: UTF8.self)))
            }
            promise.futureResult.whenComplete { _ in deadline.cancel() }
            return promise.futureResult
        }.get()
    }

    final class Inbox: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        var bytes: [UInt8] = []
        var isEnded = false
        /// Asks for more by itself: the channel does so only after it has read from the socket, and TLS may have kept something back.
        var receives = true
        var error: (any Error)?
        private var waiting: (isDone: (Inbox) -> Bool, promise: EventLoopPromise<[UInt8]>)?

        func wait(_ isDone: @escaping (Inbox) -> Bool, on loop: any EventLoop) -> EventLoopPromise<[UInt8]> {
            let promise = loop.makePromise(of: [UInt8].self)
            waiting = (isDone, promise)
            check()
            return promise
        }

        private func check() {
            guard let (isDone, promise) = waiting, isDone(self) else { return }
            waiting = nil
            promise.succeed(bytes)
            bytes = []
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            bytes += Array(buffer: unwrapInboundIn(data))
            check()
        }

        func channelReadComplete(context: ChannelHandlerContext) {
            if receives { context.read() }
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            guard event as? ChannelEvent == .inputClosed else { return }
            isEnded = true
            check()
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            if self.error == nil { self.error = error }
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            isEnded = true
            check()
        }
    }
}
