import NIOCore
import Synchronization

/// One query over UDP, from a socket of its own: the kernel gives it a random port and passes on only what the server itself sends.
final class DNSDatagramExchange: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let query: DNSQuery
    private let answer: EventLoopPromise<DNSMessage>
    private let faulty: MalformedAnswer

    init(_ query: DNSQuery, _ answer: EventLoopPromise<DNSMessage>, faulty: MalformedAnswer) {
        self.query = query
        self.answer = answer
        self.faulty = faulty
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch query.match(Array(buffer: unwrapInboundIn(data).data)) {
        case .response(let message): answer.succeed(message)
        case .foreign: break
        // The true answer may still come: a forger can send garbage too.
        case .malformed(let fault): faulty.note(fault)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { answer.fail(error) }

    func channelInactive(context: ChannelHandlerContext) { answer.fail(ChannelError.eof) }
}

/// What was wrong with an answer that was passed over, told if no better one came.
final class MalformedAnswer: Sendable {
    private let noted = Mutex<DNSFormatFault?>(nil)

    var fault: DNSFormatFault? { noted.withLock { $0 } }
    func note(_ fault: DNSFormatFault) { noted.withLock { $0 = fault } }
}
