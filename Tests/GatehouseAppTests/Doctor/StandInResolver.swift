import GateCore
import GateNet
import NIOCore
import NIOPosix

/// A name server over UDP on a free port of the loopback interface.
struct StandInResolver {
    private let channel: any Channel

    var address: DNSServer { DNSServer(IPAddress("127.0.0.1")!, port: channel.localAddress!.port!) }

    /// - Parameter answer: makes an answer of a query; it is a response already.
    static func open(_ answer: @escaping @Sendable (inout DNSMessage) -> Void) async throws -> StandInResolver {
        StandInResolver(
            channel: try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Handler(answer)) }
                }
                .bind(host: "127.0.0.1", port: 0).get())
    }

    func close() async throws { try await channel.close() }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>
        typealias OutboundOut = AddressedEnvelope<ByteBuffer>
        private let answer: @Sendable (inout DNSMessage) -> Void

        init(_ answer: @escaping @Sendable (inout DNSMessage) -> Void) { self.answer = answer }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let envelope = unwrapInboundIn(data)
            guard var message = try? DNSMessage(parsing: Array(buffer: envelope.data)) else { return }
            message.isResponse = true
            answer(&message)
            context.writeAndFlush(
                wrapOutboundOut(AddressedEnvelope(remoteAddress: envelope.remoteAddress, data: ByteBuffer(bytes: message.encoded))),
                promise: nil)
        }
    }
}
