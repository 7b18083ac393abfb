import GateHTTP
import NIOCore

/// The connection after an upgrade (RFC 9110 §7.8): from the end of the 101 on it carries another protocol's bytes.
extension HTTP1Connection {
    func tunnel(_ use: @escaping @Sendable (any Tunnel) async -> Void, to number: UInt64) {
        let connection = NIOLoopBound(self, eventLoop: loop.eventLoop)
        let tunnel = ConnectionTunnel(connection: connection, eventLoop: loop.eventLoop, exchange: number)
        phase = .tunnel
        readDeadline = nil
        current?.tunnel = .open
        current?.task = nil
        run(number) {
            await use(tunnel)
            connection.value.endTunnel(number)
        }
        if loop.isStopping { current?.task?.cancel() }
        if !isInRead { flushIfNeeded() }
    }

    /// What has come, for the reader of the tunnel; `nil` where it has to be waited for.
    func tunnelPart() -> Result<ByteBuffer?, BodyError>? {
        if let bytes = reader.takeBuffered() {
            readOn()
            return .success(bytes)
        }
        return inputEnded ? .success(nil) : nil
    }

    /// Not before everything is out: NIO drops what waits to be written when the input ends after its output was closed, and when its output
    /// is closed after the input has ended.
    func endTunnelOutput(_ number: UInt64) -> Result<Void, BodyError> {
        guard let exchange = current, exchange.number == number, let output = exchange.tunnel else { return .failure(.disconnected) }
        guard output == .open else { return .success(()) }
        guard case .tunnel = phase else { return .failure(.disconnected) }
        exchange.tunnel = .ending
        let written = loop.eventLoop.makePromise(of: Void.self)
        pendingWrites += 1
        written.futureResult.assumeIsolated().whenComplete { [self] result in
            if case .success = result {
                exchange.tunnel = .ended
                if !inputEnded, let context { context.close(mode: .output, promise: nil) }
            }
            wrote()
        }
        context.write(wrapOutboundOut(ByteBuffer()), promise: written)
        flush()
        if pendingWrites > 0 { armWriteDeadline() }
        return .success(())
    }

    /// The user of the tunnel has returned.
    private func endTunnel(_ number: UInt64) {
        guard let exchange = current, exchange.number == number else { return }
        guard exchange.tunnel != .open else {
            breakStream(number)
            return
        }
        current = nil
        service.observer.finished(exchange.finished(at: service.monotonic(), isAborted: false))
        if case .tunnel = phase { close(lingers: !inputEnded) } else { reader.discardBuffered() }
    }
}
