import GateCore
import GateHTTP
import NIOCore

extension ClientConnection {
    /// Sends a body as it comes, while the response may be on its way already.
    func send(_ stream: any BodyStream, length: Int?) {
        owedBytes = length
        let connection = NIOLoopBound(self, eventLoop: loop.eventLoop)
        let number = state.count
        let task = Task.immediate(executorPreference: loop.executor) {
            do throws(BodyError) {
                while let part = try await stream.next() {
                    guard await connection.value.write(part, of: number) else { return }
                }
                connection.value.endRequest(number)
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
        guard isSending(number), let context = self.context else { return false }
        call?.progress(loop.settings.time.monotonic())
        if context.channel.isWritable { return true }
        return await withCheckedContinuation { roomWaiter = $0 }
    }

    private func endRequest(_ number: Int) {
        guard isSending(number), let context else { return }
        switch owedBytes {
        case nil: context.writeAndFlush(wrapOutboundOut(ByteBuffer(staticString: "0\r\n\r\n")), promise: nil)
        case 0: break
        default:
            fail(OutgoingError(.badRequest, "the body for \(destination) is shorter than was said"))
            return
        }
        state.endRequest()
        pump = nil
    }

    private func breakRequest(_ number: Int, _ error: BodyError) {
        guard isSending(number) else { return }
        fail(OutgoingError(.badRequest, "the body for \(destination) broke off (\(error))"))
    }
}
