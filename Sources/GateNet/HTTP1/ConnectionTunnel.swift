import GateHTTP
import NIOCore

/// A connection, or a stream of one, after an upgrade, see ``Tunnel``.
struct ConnectionTunnel<Connection: BodyCarrier>: Tunnel {
    private let input: ConnectionBodyStream<Connection>
    private let output: ConnectionBodyWriter<Connection>

    init(connection: NIOLoopBound<Connection>, eventLoop: any EventLoop, exchange: UInt64) {
        input = ConnectionBodyStream(connection: connection, eventLoop: eventLoop, exchange: exchange)
        output = ConnectionBodyWriter(connection: connection, eventLoop: eventLoop, exchange: exchange)
    }

    func next() async throws(BodyError) -> ByteBuffer? { try await input.next() }
    func write(_ part: ByteBuffer) async throws(BodyError) { try await output.write(part) }

    func finish() async throws(BodyError) {
        let (connection, exchange) = (output.connection, output.exchange)
        try await output.eventLoop.value { connection.value.endTunnelOutput(exchange) }.get()
    }
}
