package import GateCore
import GateCrypto
import GateNet
import Glibc
package import NIOCore
import NIOHTTP1
import NIOPosix

/// Connects to exactly one address, as clients of a name would: with its `Host`, and over TLS with its SNI. Any certificate is looked at.
package struct AddressVisitor: Sendable {
    private let proof: DoctorProof?
    private let tls: TLSClientConfiguration?
    private let entropy: any Entropy
    private let timeLimit: Duration
    private let group: any EventLoopGroup

    /// - Parameters:
    ///   - proof: `nil`: what answers cannot be told from others.
    ///   - timeLimit: for one visit.
    package init(
        proof: DoctorProof?, time: any TimeSource, entropy: any Entropy, timeLimit: Duration = .seconds(5),
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) {
        self.proof = proof
        self.entropy = entropy
        self.timeLimit = timeLimit
        self.group = group
        tls = (try? TLSClientContext(lookingOnlyAt: time)).map(TLSClientConfiguration.init)
    }

    package func visit(_ name: String, at address: IPAddress, port: Int, isTLS: Bool) async -> Visit {
        let nonce = DoctorProof.nonce(entropy)
        let loop = group.next()
        let promise = loop.makePromise(of: VisitReply.self)
        let head = head(name, port, isTLS, nonce)
        let deadline = loop.scheduleTask(in: TimeAmount(timeLimit)) { promise.fail(ChannelError.connectTimeout(.zero)) }
        let reply: VisitReply
        do {
            let address = try SocketAddress(ipAddress: address.description, port: port)
            let (proof, tls) = (proof, isTLS ? tls : nil)
            ClientBootstrap(group: loop)
                .connectTimeout(TimeAmount(timeLimit))
                .connect(to: address)
                .flatMap { channel in
                    promise.futureResult.whenComplete { _ in channel.close(promise: nil) }
                    return channel.eventLoop.makeCompletedFuture {
                        try VisitExchange(promise, proof: proof, nonce: nonce, head: head).begin(on: channel, name: name, tls: tls)
                    }
                }
                .whenFailure { promise.fail($0) }
            reply = try await withTaskCancellationHandler {
                try await promise.futureResult.get()
            } onCancel: {
                promise.fail(CancellationError())
            }
        } catch {
            reply = VisitReply(outcome: Self.outcome(error))
        }
        deadline.cancel()
        return Visit(
            address: address, port: port, isTLS: isTLS, outcome: reply.outcome, certificate: reply.presented?.leaf,
            distrust: reply.presented?.fault)
    }

    private func head(_ name: String, _ port: Int, _ isTLS: Bool, _ nonce: String) -> HTTPRequestHead {
        let host = port == (isTLS ? 443 : 80) ? name : "\(name):\(port)"
        return HTTPRequestHead(
            version: .http1_1, method: .GET, uri: DoctorProof.path + nonce,
            headers: ["host": host, "user-agent": "gatehouse-doctor/\(GatehouseVersion.current)", "accept": "*/*", "connection": "close"])
    }

    /// Of what failed before anybody answered.
    private static func outcome(_ error: any Error) -> Visit.Outcome {
        switch error {
        case ChannelError.connectTimeout, is CancellationError: .timedOut
        case let error as IOError where error.errnoCode == ECONNREFUSED: .refused
        case let error as IOError where error.errnoCode == ETIMEDOUT: .timedOut
        case let error as IOError: .unreachable(String(cString: strerror(error.errnoCode)))
        default: .unreachable("\(error)")
        }
    }
}

struct VisitReply: Sendable {
    var outcome: Visit.Outcome
    var presented: PresentedCertificate?
}

/// One request and its response. Once connected, whatever happens is a reply.
private final class VisitExchange: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let promise: EventLoopPromise<VisitReply>
    private let proof: DoctorProof?
    private let nonce: String
    private let request: HTTPRequestHead
    private var tls: TLSHandler?
    private var response: HTTPResponseHead?
    private var body: [UInt8] = []

    /// The proof is far shorter; of other servers only the head is told.
    private static let bodyLimit = 1024

    init(_ promise: EventLoopPromise<VisitReply>, proof: DoctorProof?, nonce: String, head: HTTPRequestHead) {
        self.promise = promise
        self.proof = proof
        self.nonce = nonce
        request = head
    }

    func begin(on channel: any Channel, name: String, tls configuration: TLSClientConfiguration?) throws {
        let pipeline = channel.pipeline.syncOperations
        if let configuration {
            let tls = try configuration.handler(for: name)
            self.tls = tls
            try pipeline.addHandler(tls)
        }
        try pipeline.addHTTPClientHandlers()
        try pipeline.addHandler(self)
        guard let tls else { return send(pipeline) }
        tls.whenHandshaken { [self] result in
            switch result {
            case .success: send(pipeline)
            case .failure(let error): finish(.noTLS("\(error)"))
            }
        }
    }

    private func send(_ pipeline: ChannelPipeline.SynchronousOperations) {
        pipeline.write(NIOAny(HTTPClientRequestPart.head(request)), promise: nil)
        pipeline.writeAndFlush(NIOAny(HTTPClientRequestPart.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): response = head
        case .body(let part):
            body += part.readableBytesView.prefix(Self.bodyLimit - body.count)
            if body.count == Self.bodyLimit { end() }
        case .end: end()
        }
    }

    private func end() {
        guard let response else { return finish(.noHTTP("it closed the connection without an answer")) }
        if let proof, proof.isAnswer(body, to: nonce) { return finish(.ours) }
        finish(
            .other(
                Visit.Stranger(
                    status: Int(response.status.code), server: response.headers.first(name: "server"),
                    location: response.headers.first(name: "location"))))
    }

    private func finish(_ outcome: Visit.Outcome) { promise.succeed(VisitReply(outcome: outcome, presented: tls?.presented)) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? TLSError {
            // A server that closes without close_notify has still answered.
            response == nil ? finish(.noTLS("\(error)")) : end()
        } else {
            finish(.noHTTP(error is HTTPParserError ? "what it sends is no HTTP response" : "the connection broke"))
        }
    }

    func channelInactive(context: ChannelHandlerContext) { end() }
}
