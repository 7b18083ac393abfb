import GateCore
import GateHTTP
import NIOCore

extension ClientConnection {
    private func isTunnelling(_ number: Int) -> Bool { state.count == number && call != nil && failure == nil && !isOutputFinished }

    /// Why nothing goes through any more.
    private var tunnelEnd: BodyError { failure.map { BodyError($0) } ?? .disconnected }

    /// Writes where there is room already; `nil`, and nothing written, where there is none.
    func writeThrough(_ part: ByteBuffer, of number: Int) -> Result<Void, BodyError>? {
        guard isTunnelling(number), let context else { return .failure(tunnelEnd) }
        guard context.channel.isWritable else { return nil }
        if part.readableBytes > 0 {
            call?.awaitPart(since: loop.recent)
            context.writeAndFlush(wrapOutboundOut(part), promise: nil)
        }
        return isTunnelling(number) ? .success(()) : .failure(tunnelEnd)
    }

    /// Waits for room, and writes.
    func sendThrough(_ part: ByteBuffer, of number: Int) async -> Result<Void, BodyError> {
        while true {
            if let done = writeThrough(part, of: number) { return done }
            guard await room({ isTunnelling(number) && roomWaiter == nil }) else { return .failure(tunnelEnd) }
        }
    }

    /// Ends our direction, once what was written is out.
    func finishThrough(_ number: Int) -> Result<Void, BodyError> {
        guard isTunnelling(number), let context else { return .failure(tunnelEnd) }
        isOutputFinished = true
        call?.awaitPart(since: loop.recent)
        if isInputEnded {
            // Half-closed on both sides, a channel closes, and drops what it has not written.
            let written = loop.eventLoop.makePromise(of: Void.self)
            written.futureResult.assumeIsolated().whenComplete { [self] _ in
                self.context?.close(promise: nil)
                if isTunnelInputTaken, state.count == number, call != nil { finish(staysOpen: false) }
            }
            context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: written)
        } else {
            context.close(mode: .output, promise: nil)
        }
        return .success(())
    }
}
