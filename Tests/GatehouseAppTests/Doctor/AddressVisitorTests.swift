import GateCore
import GateCrypto
import GateHTTP
import GateNet
import GateTesting
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import GatehouseApp

@Suite("Doctor: visits")
struct AddressVisitorTests {
    static let loopback = IPAddress("127.0.0.1")!
    static let proof = DoctorProof(secret: Secret([UInt8](repeating: 7, count: 32)))

    private struct Fixed: Responder {
        let response: Response
        func respond(to request: Request) -> Answer { .now(response) }
    }

    private static func visitor(_ proof: DoctorProof? = proof, timeLimit: Duration = .seconds(5)) -> AddressVisitor {
        AddressVisitor(proof: proof, time: SystemTime(), entropy: SystemEntropy(), timeLimit: timeLimit)
    }

    /// Visits an HTTP server of this process.
    private static func visit(
        _ responder: any Responder, certificate: CertifiedKey? = nil, isTLS: Bool = false, visitor: AddressVisitor = visitor()
    ) async throws -> Visit {
        let decorator = try certificate.map { TLSServerDecorator(certificates: try TLSCertificates(fallback: $0)) }
        let server = HTTPServer(
            [Listener(.tcp(host: "127.0.0.1", port: 0), decorator: decorator)], responder: responder, observer: ExchangeObservers([]),
            group: MultiThreadedEventLoopGroup.singleton)
        let port = try await server.start()[0].port!
        let visit = await visitor.visit("app.example", at: loopback, port: port, isTLS: isTLS)
        await server.shutdownGracefully(within: .zero)
        return visit
    }

    /// Visits a server that sends `bytes` to whoever comes, and closes or stays.
    private static func visit(sending bytes: [UInt8], closes: Bool, isTLS: Bool = false, timeLimit: Duration = .seconds(5)) async throws
        -> Visit
    {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Sender(bytes, closes: closes)) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let visit = await visitor(timeLimit: timeLimit).visit("app.example", at: loopback, port: server.localAddress!.port!, isTLS: isTLS)
        try await server.close()
        return visit
    }

    private final class Sender: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let bytes: [UInt8]
        private let closes: Bool

        init(_ bytes: [UInt8], closes: Bool) {
            self.bytes = bytes
            self.closes = closes
        }

        /// Once asked: a socket that is closed over unread bytes sends a reset.
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let sent = context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)))
            let context = NIOLoopBound(context, eventLoop: context.eventLoop)
            if closes { sent.whenComplete { _ in context.value.close(promise: nil) } }
        }
    }

    @Test("This server proves itself, over plain HTTP, and before any redirect")
    func ours() async throws {
        let redirect = Fixed(response: Response(.permanentRedirect, headers: ["location": "https://app.example/"]))
        #expect(try await Self.visit(DoctorEndpoint(Self.proof, next: redirect)).outcome == .ours)
    }

    @Test("A server with another key does not, nor one that answers anything else")
    func strangers() async throws {
        let other = DoctorProof(secret: Secret([UInt8](repeating: 8, count: 32)))
        let nothing = Fixed(response: .text(.notFound, ""))
        #expect(try await Self.visit(DoctorEndpoint(other, next: nothing)).outcome == .other(.init(status: 200)))
        let redirect = Fixed(response: Response(.found, headers: ["location": "https://elsewhere.example/", "server": "nginx/1.22.1"]))
        #expect(
            try await Self.visit(redirect).outcome
                == .other(.init(status: 302, server: "nginx/1.22.1", location: "https://elsewhere.example/")))
        let endless = Fixed(response: .text(.ok, String(repeating: "a", count: 1 << 20)))
        #expect(try await Self.visit(endless).outcome == .other(.init(status: 200)))
    }

    @Test("Without a key nobody can be told apart")
    func withoutKey() async throws {
        let visit = try await Self.visit(
            DoctorEndpoint(Self.proof, next: Fixed(response: .text(.notFound, ""))), visitor: Self.visitor(nil))
        #expect(visit.outcome == .other(.init(status: 200)))
    }

    @Test("Over TLS, any certificate is looked at, and told of")
    func overTLS() async throws {
        let certificate = try CertifiedKey.selfSigned(for: [.dns("app.example")], at: SystemTime().now(), entropy: SystemEntropy())
        let visit = try await Self.visit(
            DoctorEndpoint(Self.proof, next: Fixed(response: .text(.notFound, ""))), certificate: certificate, isTLS: true)
        #expect(visit.outcome == .ours)
        #expect(visit.certificate?.fingerprint == certificate.leaf.fingerprint)
        #expect(visit.distrust == .selfSigned)
    }

    @Test("Plain HTTP and garbage where TLS should be")
    func noTLS() async throws {
        let plain = try await Self.visit(Fixed(response: .text(.ok, "")), isTLS: true)
        guard case .noTLS = plain.outcome else { return #expect(plain.outcome == .noTLS("")) }
        let garbage = try await Self.visit(sending: [1, 2, 3, 4, 5, 6, 7, 8], closes: true, isTLS: true)
        guard case .noTLS = garbage.outcome else { return #expect(garbage.outcome == .noTLS("")) }
    }

    @Test(
        "What is no HTTP response",
        arguments: [
            "", "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", "HTTP/1.1 2", "\u{16}\u{3}\u{1}", "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        ])
    func noHTTP(_ text: String) async throws {
        let visit = try await Self.visit(sending: Array(text.utf8), closes: true)
        guard case .noHTTP = visit.outcome else { return #expect(visit.outcome == .noHTTP("")) }
    }

    @Test("Nobody listens; nobody answers")
    func nobody() async throws {
        #expect(await Self.visitor().visit("app.example", at: Self.loopback, port: 1, isTLS: false).outcome == .refused)
        let silent = try await Self.visit(sending: [], closes: false, timeLimit: .milliseconds(100))
        #expect(silent.outcome == .timedOut)
    }

    @Test("The endpoint answers its own path, for proper nonces, and nothing else")
    func endpoint() throws {
        func answer(_ method: HTTPMethod, _ path: String) -> Int? {
            let request = Request(id: RequestID(value: 1), method: method, target: RequestTarget(path)!)
            return Self.proof.respond(to: request).map { Int($0.status.code) }
        }
        let nonce = DoctorProof.nonce(SystemEntropy())
        #expect(answer(.GET, DoctorProof.path + nonce) == 200)
        #expect(answer(.POST, DoctorProof.path + nonce) == nil)
        #expect(answer(.GET, DoctorProof.path) == nil)
        #expect(answer(.GET, DoctorProof.path + nonce + "a") == nil)
        #expect(answer(.GET, DoctorProof.path + String(repeating: "!", count: 43)) == nil)
        #expect(answer(.GET, "/" + nonce) == nil)
        #expect(!Self.proof.isAnswer(Array(Self.proof.answer(to: nonce).utf8), to: DoctorProof.nonce(SystemEntropy())))
    }
}
