import NIOCore

/// One query over TCP (RFC 7766): each message with its length before it.
final class DNSStreamExchange: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let query: DNSQuery
    private let answer: EventLoopPromise<DNSMessage>
    private var received = ByteBuffer()

    init(_ query: DNSQuery, _ answer: EventLoopPromise<DNSMessage>) {
        self.query = query
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received.writeImmutableBuffer(unwrapInboundIn(data))
        guard let length = received.getInteger(at: received.readerIndex, as: UInt16.self),
            let bytes = received.getBytes(at: received.readerIndex + 2, length: Int(length))
        else { return }
        switch query.match(bytes) {
        case .response(let message): answer.succeed(message)
        case .foreign: answer.fail(DNSFormatFault("an answer to something else"))
        case .malformed(let fault): answer.fail(fault)
        }
        context.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { answer.fail(error) }

    func channelInactive(context: ChannelHandlerContext) { answer.fail(ChannelError.eof) }
}
