import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1

extension ClientConnection {
    /// Bodies up to this size are copied behind their head, so that one buffer goes out.
    private static let inlineBody = 16 << 10
    /// How long a server is waited for that is asked whether it wants the body (RFC 9110 §10.1.1 leaves it to the client).
    private static let continueTime = Duration.seconds(1)

    /// Sends the request of `call`, or begins to.
    /// - Returns: false where it cannot be written as HTTP; the connection has not been used then.
    func begin(_ call: OutgoingCall) -> Bool {
        let request = call.request
        loop.output.clear(minimumCapacity: 1024)
        guard RequestHeadEncoder.encode(request, authority: call.authority, into: &loop.output) else { return false }
        self.call = call
        forget()
        state.begin(request.method, isWhole: request.isWhole, upgrade: request.upgrade?.lowercased())
        guard let context, !isInputEnded else {
            fail(inputFailure ?? .badResponse(destination, .truncated, hasBegun: false))
            return true
        }
        call.awaitResponse(since: loop.recent)
        switch request.body {
        case .bytes(let bytes) where bytes.readableBytes > Self.inlineBody:
            context.write(wrapOutboundOut(loop.output), promise: nil)
            context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
        case .bytes(let bytes):
            loop.output.writeImmutableBuffer(bytes)
            context.writeAndFlush(wrapOutboundOut(loop.output), promise: nil)
        default: context.writeAndFlush(wrapOutboundOut(loop.output), promise: nil)
        }
        // Where the very first write fails, the channel closes under it, and nothing has left this machine.
        guard self.call === call else { return true }
        hasSent = true
        if !request.isWhole, case .stream(let length, let stream) = request.body {
            heldBody = (length, stream)
            if request.expectsContinue { call.continueDeadline = loop.recent + Self.continueTime } else { sendBody() }
        }
        readOn()
        return true
    }

    /// Sends the body of the request as it comes, while the response may be on its way already.
    func sendBody() {
        guard let (length, stream) = heldBody, let call else { return }
        heldBody = nil
        call.continueDeadline = .never
        call.suspend()
        owedBytes = length
        isBodyBegun = true
        let connection = NIOLoopBound(self, eventLoop: loop.eventLoop)
        let number = state.count
        let task = Task.immediate(executorPreference: loop.executor) {
            do throws(BodyError) {
                while let part = try await stream.next() {
                    guard await connection.value.write(part, of: number) else { return }
                }
                let trailers = length == nil ? await stream.trailers : nil
                connection.value.endRequest(number, trailers)
            } catch {
                connection.value.breakRequest(number, error)
            }
        }
        if isSending(number) { pump = task }
    }

    private func isSending(_ number: Int) -> Bool { state.count == number && failure == nil && call != nil && !state.isRequestSent }

    /// Returns when the connection can take more; false where no more is wanted.
    private func write(_ part: ByteBuffer, of number: Int) async -> Bool {
        guard isSending(number), let context else { return false }
        guard part.readableBytes > 0 else { return true }
        if let owed = owedBytes {
            guard part.readableBytes <= owed else {
                // More than was promised would be read as the next request.
                fail(OutgoingError(.badRequest, "the body for \(destination) is longer than was said"))
                return false
            }
            owedBytes = owed - part.readableBytes
            context.writeAndFlush(wrapOutboundOut(part), promise: nil)
        } else {
            context.write(wrapOutboundOut(ByteBuffer(string: String(part.readableBytes, radix: 16) + "\r\n")), promise: nil)
            context.write(wrapOutboundOut(part), promise: nil)
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(staticString: "\r\n")), promise: nil)
        }
        return await room { isSending(number) }
    }

    /// Returns once more can be written; false where `isWanted` says that nothing is.
    func room(_ isWanted: () -> Bool) async -> Bool {
        guard isWanted(), let context, let call else { return false }
        if context.channel.isWritable { return true }
        call.awaitRoom(since: loop.recent)
        return await withUnsafeContinuation { roomWaiter = $0 }
    }

    func roomCame() {
        guard let waiter = roomWaiter else { return }
        roomWaiter = nil
        call?.endAwaitingRoom()
        waiter.resume(returning: true)
    }

    private func endRequest(_ number: Int, _ trailers: HTTPHeaders?) {
        guard isSending(number), let context else { return }
        switch owedBytes {
        case nil: context.writeAndFlush(wrapOutboundOut(TrailerFields.lastChunk(trailers)), promise: nil)
        case 0: break
        default:
            fail(OutgoingError(.badRequest, "the body for \(destination) is shorter than was said"))
            return
        }
        guard isSending(number) else { return }
        state.endRequest()
        pump = nil
        if let call, call.isWaitedFor { call.awaitResponse(since: loop.recent) }
    }

    private func breakRequest(_ number: Int, _ error: BodyError) {
        guard isSending(number) else { return }
        fail(OutgoingError(.badRequest, "the body for \(destination) broke off (\(error))"))
    }
}
