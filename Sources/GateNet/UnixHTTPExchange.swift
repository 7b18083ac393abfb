import NIOCore
import NIOHTTP1

/// Gathers the one response of a ``UnixHTTPClient``'s connection.
final class UnixHTTPExchange: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let answer: EventLoopPromise<UnixHTTPClient.Response>
    private let path: String
    private var response: UnixHTTPClient.Response?

    init(_ answer: EventLoopPromise<UnixHTTPClient.Response>, path: String) {
        self.answer = answer
        self.path = path
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): response = UnixHTTPClient.Response(status: head.status, headers: head.headers, body: ByteBuffer())
        case .body(let part):
            guard let size = response?.body.readableBytes, size + part.readableBytes <= UnixHTTPClient.sizeLimit else {
                broken("the body has more than \(UnixHTTPClient.sizeLimit) bytes")
                return
            }
            response?.body.writeImmutableBuffer(part)
        case .end: if let response { answer.succeed(response) }
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) { context.read() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        broken("\(error)")
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { broken("it closed the connection") }

    // After the response these come too late, and a promise that is kept stays kept.
    private func broken(_ reason: String) { answer.fail(UnixHTTPClient.Failure.broken(path: path, reason)) }
}
