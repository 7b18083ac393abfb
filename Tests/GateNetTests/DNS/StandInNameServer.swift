import GateCore
import NIOCore
import NIOPosix
import Synchronization

@testable import GateNet

/// A name server on a free port of the loopback interface, over UDP and TCP, for the time of a test. It answers whatever `answer`
/// makes of a query: any bytes, several messages, or nothing.
final class StandInNameServer: Sendable {
    struct Query: Sendable {
        let message: DNSMessage
        let isTCP: Bool
        /// From 0, over both ways.
        let count: Int
    }

    typealias Answer = @Sendable (Query) -> [[UInt8]]

    let port: Int
    private let datagrams: any Channel
    private let streams: any Channel
    private let queries = Mutex<[Query]>([])

    var seen: [Query] { queries.withLock { $0 } }
    var address: DNSServer { DNSServer(IPAddress("127.0.0.1")!, port: port) }

    static func run(_ answer: @escaping Answer, _ body: (StandInNameServer) async throws -> Void) async throws {
        let server = try await StandInNameServer(answer)
        do {
            try await body(server)
        } catch {
            await server.close()
            throw error
        }
        await server.close()
    }

    private init(_ answer: @escaping Answer) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let box = Box()
        let respond: @Sendable ([UInt8], Bool) -> [[UInt8]] = { bytes, isTCP in
            guard let message = try? DNSMessage(parsing: bytes), let query = box.server?.note(message, isTCP) else { return [] }
            return answer(query)
        }
        // A port that is free for both: the kernel chooses for TCP, and UDP follows.
        streams = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(StreamHandler(respond)) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = streams.localAddress!.port!
        datagrams = try await DatagramBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(DatagramHandler(respond)) }
            }
            .bind(host: "127.0.0.1", port: port).get()
        box.set(self)
    }

    private func close() async {
        try? await datagrams.close()
        try? await streams.close()
    }

    private func note(_ message: DNSMessage, _ isTCP: Bool) -> Query {
        queries.withLock { queries in
            queries.append(Query(message: message, isTCP: isTCP, count: queries.count))
            return queries[queries.count - 1]
        }
    }

    /// The handlers are made before the server is.
    private final class Box: Sendable {
        private struct Reference: Sendable { weak let server: StandInNameServer? }
        private let reference = Mutex(Reference(server: nil))
        var server: StandInNameServer? { reference.withLock { $0.server } }
        func set(_ server: StandInNameServer) { reference.withLock { $0 = Reference(server: server) } }
    }

    private final class DatagramHandler: ChannelInboundHandler {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>
        typealias OutboundOut = AddressedEnvelope<ByteBuffer>
        let respond: @Sendable ([UInt8], Bool) -> [[UInt8]]

        init(_ respond: @escaping @Sendable ([UInt8], Bool) -> [[UInt8]]) { self.respond = respond }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let envelope = unwrapInboundIn(data)
            for bytes in respond(Array(buffer: envelope.data), false) {
                let reply = AddressedEnvelope(remoteAddress: envelope.remoteAddress, data: ByteBuffer(bytes: bytes))
                context.writeAndFlush(wrapOutboundOut(reply), promise: nil)
            }
        }
    }

    private final class StreamHandler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        let respond: @Sendable ([UInt8], Bool) -> [[UInt8]]
        var received = ByteBuffer()

        init(_ respond: @escaping @Sendable ([UInt8], Bool) -> [[UInt8]]) { self.respond = respond }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received.writeImmutableBuffer(unwrapInboundIn(data))
            guard let length = received.getInteger(at: received.readerIndex, as: UInt16.self),
                let bytes = received.getBytes(at: received.readerIndex + 2, length: Int(length))
            else { return }
            for bytes in respond(bytes, true) {
                // Byte by byte: the reader must gather.
                for byte in [UInt8(bytes.count >> 8), UInt8(truncatingIfNeeded: bytes.count)] + bytes {
                    context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: [byte])), promise: nil)
                }
            }
            context.close(promise: nil)
        }
    }
}

extension StandInNameServer.Query {
    var question: DNSQuestion { message.questions[0] }

    /// The reply to this query, with `change` made to it.
    func reply(_ answers: [DNSRecord] = [], _ change: (inout DNSMessage) -> Void = { _ in }) -> [UInt8] {
        var reply = DNSMessage(id: message.id)
        reply.isResponse = true
        reply.questions = message.questions
        reply.answers = answers
        change(&reply)
        return reply.encoded
    }
}

extension DNSRecord {
    static func a(_ name: String, _ address: String) -> DNSRecord {
        DNSRecord(DNSName(name)!, .a, timeToLive: 60, .address(IPAddress(address)!))
    }
    static func aaaa(_ name: String, _ address: String) -> DNSRecord {
        DNSRecord(DNSName(name)!, .aaaa, timeToLive: 60, .address(IPAddress(address)!))
    }
    static func cname(_ name: String, _ target: String) -> DNSRecord {
        DNSRecord(DNSName(name)!, .cname, timeToLive: 60, .name(DNSName(target)!))
    }
    static func caa(_ name: String, _ tag: String, _ value: String, critical: Bool = false) -> DNSRecord {
        DNSRecord(DNSName(name)!, .caa, timeToLive: 60, .caa(CAARecord(isCritical: critical, tag: tag, value: value)))
    }
    static func soa(_ zone: String) -> DNSRecord {
        DNSRecord(
            DNSName(zone)!, .soa, timeToLive: 60,
            .startOfAuthority(
                DNSStartOfAuthority(
                    primary: DNSName("ns1.example")!, mailbox: DNSName("admin.example")!, serial: 1, refresh: 2, retry: 3, expire: 4,
                    minimum: 5)))
    }
}
