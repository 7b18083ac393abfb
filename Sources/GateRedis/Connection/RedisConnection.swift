import GateCore
import NIOCore

/// An open connection, to be used from any thread. It may be closed already: then every command says so.
final class RedisConnection: Sendable {
    let eventLoop: any EventLoop
    /// Done when the connection is closed. Never fails.
    let closed: EventLoopFuture<Void>
    private let handler: NIOLoopBound<RedisHandler>

    /// On the channel's event loop only.
    init(_ channel: any Channel, silence: Duration, time: any TimeSource) throws {
        eventLoop = channel.eventLoop
        closed = channel.closeFuture.recover { _ in }
        let handler = RedisHandler(silence: silence, time: time)
        self.handler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
        try channel.pipeline.syncOperations.addHandler(handler)
    }

    /// - Throws: ``RedisError/refused(_:)`` too, where the reply is an error.
    func send(_ command: RedisCommand, within limit: Duration) async throws(RedisError) -> RESPValue {
        let reply: RedisHandler.Reply = await withUnsafeContinuation { continuation in
            onLoop { $0.send(command, within: limit) { continuation.resume(returning: $0) } }
        }
        return try reply.get()
    }

    /// - Parameter done: called once, on the event loop: before anything is that comes later.
    func send(_ command: RedisCommand, within limit: Duration, _ done: @escaping @Sendable (Result<RESPValue, RedisError>) -> Void) {
        onLoop { $0.send(command, within: limit, done) }
    }

    /// Sends what is not answered by a reply of its own, and hands all that comes unasked to `pushed`, on the event loop.
    func subscribe(_ command: RedisCommand, _ pushed: @escaping @Sendable ([RESPValue]) -> Void) {
        onLoop {
            $0.pushed = pushed
            $0.post(command)
        }
    }

    func close(_ reason: RedisError = .disconnected("it is closed")) { onLoop { $0.fail(reason) } }

    private func onLoop(_ body: @escaping @Sendable (RedisHandler) -> Void) {
        if eventLoop.inEventLoop {
            body(handler.value)
        } else {
            eventLoop.execute { [handler] in body(handler.value) }
        }
    }
}
