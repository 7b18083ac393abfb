import GateHTTP
import NIOCore
import NIOHTTP2

/// A stream after an extended CONNECT (RFC 8441 §5): its DATA frames carry another protocol's bytes.
extension HTTP2Connection {
    func tunnel(_ use: @escaping @Sendable (any Tunnel) async -> Void, on stream: HTTP2Stream) {
        let connection = NIOLoopBound(self, eventLoop: loop.eventLoop)
        let number = stream.number
        let tunnel = ConnectionTunnel(connection: connection, eventLoop: loop.eventLoop, exchange: number)
        stream.exchange.tunnel = .open
        stream.exchange.task = nil
        run(stream) {
            await use(tunnel)
            connection.value.endTunnel(number)
        }
        if loop.isStopping { stream.exchange.task?.cancel() }
        if !isInRead { flushIfNeeded() }
    }

    func endTunnelOutput(_ number: UInt64) -> Result<Void, BodyError> {
        guard let stream = stream(number), let output = stream.exchange.tunnel else { return .failure(.disconnected) }
        guard output == .open else { return .success(()) }
        stream.exchange.tunnel = .ending
        finish(stream, .data(.init(data: .byteBuffer(ByteBuffer()), endStream: true)))
        flush()
        return .success(())
    }

    func outputEnded(ofTunnel stream: HTTP2Stream, _ result: Result<Void, any Error>) {
        guard case .success = result else { return }
        stream.isEndPending = false
        stream.exchange.tunnel = .ended
        if stream.isTaken { complete(stream) }
    }

    /// The user of the tunnel has returned. RFC 8441 §5 has CANCEL for what a reset is on TCP.
    private func endTunnel(_ number: UInt64) {
        guard let stream = stream(number) else { return }
        stream.isTaken = true
        switch stream.exchange.tunnel {
        case .ended:
            dropInbox(stream)
            complete(stream)
        case .ending: dropInbox(stream)
        case .open, nil:
            // NIO drops what a stream that is reset has not written.
            flushIfNeeded()
            reset(stream, .cancel)
        }
    }
}
