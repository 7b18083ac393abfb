import NIOCore

/// What the bytes of a connection pass before `NIOHTTP2Handler` reads them: they are metered, and dropped once nothing is read any more.
final class HTTP2Inlet: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let connection: HTTP2Connection

    init(_ connection: HTTP2Connection) { self.connection = connection }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard connection.admit(unwrapInboundIn(data)) else { return }
        context.fireChannelRead(data)
    }
}
