import GateCore
import NIOCore

/// One connection as its event loop sees it: commands go out as they come, replies come back in the same order.
///
/// Confined to its event loop. A command that was not answered in time is given up, its place is kept for the reply that may still come;
/// only where nothing at all has come for ``silence`` is the connection given up.
final class RedisHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    typealias Reply = Result<RESPValue, RedisError>

    private struct Waiter {
        var done: ((Reply) -> Void)?
        let sentAt: MonotonicInstant
        let deadline: MonotonicInstant
    }

    /// Commands that may wait for their replies.
    private static let capacity = 8192

    private let time: any TimeSource
    private let silence: Duration
    private var context: ChannelHandlerContext?
    private var reader = RESPReader()
    private var input = ByteBuffer()
    private var waiting = CircularBuffer<Waiter>()
    private var lastByte: MonotonicInstant
    private var isFlushScheduled = false
    private var sweep: (at: MonotonicInstant, task: Scheduled<Void>)?
    private var failure: RedisError?
    /// Told of what comes unasked.
    var pushed: (([RESPValue]) -> Void)?

    init(silence: Duration, time: any TimeSource) {
        self.silence = silence
        self.time = time
        lastByte = time.monotonic()
    }

    // MARK: Sending

    /// - Parameter done: called once, on the event loop.
    func send(_ command: RedisCommand, within limit: Duration, _ done: @escaping (Reply) -> Void) {
        guard let context, failure == nil else {
            done(.failure(failure ?? .notConnected("the connection is closed")))
            return
        }
        guard waiting.count < Self.capacity else {
            done(.failure(.overloaded))
            return
        }
        let now = time.monotonic()
        // A silence is counted from when there is something to answer.
        if waiting.isEmpty { lastByte = max(lastByte, now) }
        waiting.append(Waiter(done: done, sentAt: now, deadline: now + limit))
        write(command, context)
        sweep(by: now + limit, now)
    }

    /// Sends what is answered by a push, or not at all.
    func post(_ command: RedisCommand) {
        guard let context, failure == nil else { return }
        write(command, context)
    }

    private func write(_ command: RedisCommand, _ context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(command.buffer), promise: nil)
        guard !isFlushScheduled else { return }
        isFlushScheduled = true
        // What else is sent in this turn of the loop goes out with it.
        context.eventLoop.assumeIsolated().execute { [self] in
            isFlushScheduled = false
            self.context?.flush()
        }
    }

    // MARK: Time

    private func sweep(by moment: MonotonicInstant, _ now: MonotonicInstant) {
        guard let context else { return }
        if let sweep {
            guard moment < sweep.at else { return }
            sweep.task.cancel()
        }
        let delay = moment.since(now) + .milliseconds(1)
        let task = context.eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(delay.wholeNanoseconds)) { [self] in
            sweep = nil
            giveUpLate()
        }
        sweep = (moment, task)
    }

    private func giveUpLate() {
        let now = time.monotonic()
        var next: MonotonicInstant?
        var late: [(Reply) -> Void] = []
        for index in waiting.indices {
            guard let done = waiting[index].done else { continue }
            if waiting[index].deadline <= now {
                waiting[index].done = nil
                late.append(done)
            } else {
                next = min(next ?? waiting[index].deadline, waiting[index].deadline)
            }
        }
        // They may send, and close.
        for done in late { done(.failure(.timedOut)) }
        guard !waiting.isEmpty else { return }
        let end = lastByte + silence
        guard end > now else {
            fail(.timedOut)
            return
        }
        sweep(by: min(next ?? end, end), now)
    }

    // MARK: The channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        context.read()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        fail(.disconnected("it is closed"))
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if input.readableBytes == 0 { input = bytes } else { input.writeBuffer(&bytes) }
        lastByte = time.monotonic()
        do throws(RESPFault) {
            while failure == nil, let value = try reader.next(&input) { take(value) }
        } catch {
            fail(.malformed(error))
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) { context.read() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent { fail(.disconnected("the server has closed it")) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(.disconnected("\(error)")) }

    func channelInactive(context: ChannelHandlerContext) { fail(.disconnected("it is closed")) }

    private func take(_ value: RESPValue) {
        if case .push(let elements) = value {
            pushed?(elements)
            return
        }
        guard let waiter = waiting.popFirst() else {
            fail(.unexpectedReply)
            return
        }
        if case .error(let error) = value { waiter.done?(.failure(.refused(error))) } else { waiter.done?(.success(value)) }
    }

    /// Ends the connection. All who wait are told why.
    func fail(_ error: RedisError) {
        guard failure == nil else { return }
        failure = error
        sweep?.task.cancel()
        sweep = nil
        let told = waiting
        waiting = []
        input = ByteBuffer()
        pushed = nil
        context?.close(promise: nil)
        for waiter in told { waiter.done?(.failure(error)) }
    }
}
