import GateCore
import GateCrypto
import GateHTTP
import GateNet
import NIOCore
import NIOHTTP1
import NIOPosix

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

// `net-bench gate|later|h2|h2-later|bare PORT THREADS`: serves one fixed answer through HTTPServer, from a task, either over HTTP/2 without
// TLS, or through NIO alone.
// `net-bench proxy PORT THREADS UPSTREAM`: passes everything on to that port.
// `net-bench tls PORT THREADS CHAIN KEY`: through TLS, with the PEM files of that certificate.

struct FixedResponder: Responder {
    let isLater: Bool
    static let body = ByteBuffer(string: #"{"status":"ok"}"#)
    func respond(to request: Request) -> Answer {
        let response = Response(.ok, headers: ["content-type": "application/json"], body: .bytes(Self.body))
        return isLater ? .later { response } : .now(response)
    }
}

struct SilentObserver: ExchangeObserver {
    func finished(_ exchange: Exchange) {}
}

/// HTTP/2 from the first byte on (RFC 9113 §3.3).
struct PriorKnowledge: ConnectionDecorator {
    let scheme = Request.Scheme.http
    func decorate(_ channel: any Channel, onLoop _: Int, serve: @escaping @Sendable (ApplicationProtocol) throws -> Void) throws {
        try serve(.http2)
    }
}

final class BareHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .end = unwrapInboundIn(data) else { return }
        var head = HTTPResponseHead(version: .http1_1, status: .ok)
        head.headers.add(name: "content-type", value: "application/json")
        head.headers.add(name: "content-length", value: "15")
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(FixedResponder.body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}

func contents(_ path: String) -> [UInt8] {
    guard let file = fopen(path, "r") else { return [] }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    bytes.removeSubrange(fread(&bytes, 1, bytes.count, file)...)
    return bytes
}

let arguments = CommandLine.arguments
let mode = arguments.count > 1 ? arguments[1] : "gate"
let port = arguments.count > 2 ? Int(arguments[2]) ?? 8080 : 8080
if mode.hasPrefix("client") {
    try await ClientLoad(
        port: port, seconds: arguments.count > 3 ? Int(arguments[3]) ?? 5 : 5, inFlight: arguments.count > 4 ? Int(arguments[4]) ?? 64 : 64,
        isOnLoop: mode != "client-off-loop", isStreamed: mode == "client-stream"
    ).run()
    exit(0)
}
let group = MultiThreadedEventLoopGroup(numberOfThreads: arguments.count > 3 ? Int(arguments[3]) ?? 4 : 4)
if mode == "bare" {
    let channel = try await ServerBootstrap(group: group)
        .serverChannelOption(.backlog, value: 1024)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.configureHTTPServerPipeline(
                    withPipeliningAssistance: false, withErrorHandling: false)
                try channel.pipeline.syncOperations.addHandler(BareHandler())
            }
        }
        .bind(host: "127.0.0.1", port: port).get()
    try await channel.closeFuture.get()
} else {
    let certificates: TLSCertificates? =
        mode == "tls"
        ? try TLSCertificates(
            fallback: CertifiedKey(chain: contents(arguments[4]), key: Secret(contents(arguments[5]))), protocols: [.http1]) : nil
    let decorator: (any ConnectionDecorator)? =
        certificates.map { TLSServerDecorator(certificates: $0) } ?? (mode.hasPrefix("h2") ? PriorKnowledge() : nil)
    let responder: any Responder =
        mode == "proxy"
        ? ProxyResponder(
            endpoint: HTTPClient(egress: .any, group: group).endpoint(EndpointSettings(HTTPURL("http://127.0.0.1:\(arguments[4])")!)))
        : FixedResponder(isLater: mode.hasSuffix("later"))
    let server = HTTPServer(
        [Listener(.tcp(host: "127.0.0.1", port: port), decorator: decorator)], responder: responder, observer: SilentObserver(),
        group: group)
    print(try await server.start().map(\.description).joined(separator: " "))
    while true { try await Task.sleep(for: .seconds(3600)) }
}
