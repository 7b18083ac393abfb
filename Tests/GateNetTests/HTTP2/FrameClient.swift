import GateHTTP
import NIOCore
import NIOHPACK
import NIOPosix

@testable import GateNet

/// HTTP/2 from the first byte on (RFC 9113 §3.3), so that it can be tested without TLS.
struct PriorKnowledge: ConnectionDecorator {
    let scheme = Request.Scheme.http
    func decorate(_ channel: any Channel, onLoop _: Int, serve: @escaping @Sendable (ApplicationProtocol) throws -> Void) throws {
        try serve(.http2)
    }
}

/// A connection of frames, for what no HTTP/2 client would send. Used by one task at a time.
final class FrameClient {
    enum Event: Hashable, CustomStringConvertible {
        case frame(WireFrame)
        case closed
        /// Nothing came within ten seconds.
        case silence

        var description: String {
            switch self {
            case .frame(let frame): "\(frame)"
            case .closed: "closed"
            case .silence: "silence"
            }
        }
    }

    /// One answer, put together.
    struct Answer {
        var headers: HPACKHeaders
        var body: [UInt8] = []
        /// Why the stream was reset, where it was.
        var reset: UInt32?

        var status: String? { headers.first(name: ":status") }
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    let channel: any Channel
    private let continuation: AsyncStream<Event>.Continuation
    private var events: AsyncStream<Event>.Iterator
    private var decoder: HPACKDecoder
    private(set) var seen: [WireFrame] = []

    /// - Parameter greets: Sends the preface and waits for the server's SETTINGS and for its acknowledgement of ours.
    init(port: Int, settings: [(UInt16, UInt32)] = [], greets: Bool = true, receives: Bool = true) async throws {
        let (stream, continuation) = AsyncStream.makeStream(of: Event.self)
        self.continuation = continuation
        events = stream.makeAsyncIterator()
        let tableSize = settings.last { $0.0 == 1 }?.1
        decoder = HPACKDecoder(
            allocator: ByteBufferAllocator(), maxDynamicTableSize: tableSize.map(Int.init) ?? HPACKDecoder.maxDynamicTableSize)
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.autoRead, value: receives)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(FrameSplitter(continuation))
                    return channel
                }
            }
        guard greets else { return }
        try await send(bytes: WireFrame.preface + WireFrame.settings(settings).bytes)
        if receives {
            _ = await next { $0.type == WireFrame.FrameType.settings && $0.has(WireFrame.ack) }
            try await send(.settingsAck)
        }
    }

    deinit { channel.close(promise: nil) }

    func send(_ frames: WireFrame...) async throws { try await send(frames) }
    func send(_ frames: [WireFrame]) async throws { try await send(bytes: frames.flatMap(\.bytes)) }
    func send(bytes: [UInt8]) async throws { try await channel.writeAndFlush(ByteBuffer(bytes: bytes)) }
    func endInput() async throws { try await channel.close(mode: .output) }
    func close() async { try? await channel.close() }
    func receive() async throws { try await channel.setOption(.autoRead, value: true).get() }

    func next() async -> Event {
        let deadline = channel.eventLoop.scheduleTask(in: .seconds(10)) { [continuation] in _ = continuation.yield(.silence) }
        defer { deadline.cancel() }
        let event = await events.next() ?? .closed
        if case .frame(let frame) = event { seen.append(frame) }
        return event
    }

    /// The next frame that is meant by `condition`; `nil` where the connection ends, or falls silent, before it.
    func next(where condition: (WireFrame) -> Bool) async -> WireFrame? {
        while case .frame(let frame) = await next() {
            if condition(frame) { return frame }
            // The state of the compression is the connection's: no field section may be left out.
            if frame.type == WireFrame.FrameType.headers { _ = try? fields(of: frame) }
        }
        return nil
    }

    func fields(of frame: WireFrame) throws -> HPACKHeaders {
        var buffer = ByteBuffer(bytes: frame.payload)
        return try decoder.decodeHeaders(from: &buffer)
    }

    /// The answer on `stream`, to its end. Opens both windows for what comes.
    func answer(on stream: UInt32) async throws -> Answer? {
        var answer: Answer?
        while let frame = await next(where: { $0.stream == stream }) {
            switch frame.type {
            case WireFrame.FrameType.headers:
                let fields = try fields(of: frame)
                if fields.first(name: ":status")?.hasPrefix("1") != true { answer = Answer(headers: fields) }
            case WireFrame.FrameType.data:
                answer?.body += frame.payload
                if !frame.payload.isEmpty, !frame.has(WireFrame.endStream) {
                    let count = UInt32(frame.payload.count)
                    try await send(.windowUpdate(0, count), .windowUpdate(stream, count))
                }
            case WireFrame.FrameType.resetStream:
                answer = answer ?? Answer(headers: [:])
                answer?.reset = frame.number(at: 0)
                return answer
            default: break
            }
            if frame.type <= WireFrame.FrameType.headers, frame.has(WireFrame.endStream) { return answer }
        }
        return answer
    }

    /// How the server ends the connection: the codes of its GOAWAY frames, and whether it closed.
    func ending() async -> (codes: [UInt32], last: [UInt32], isClosed: Bool) {
        var codes: [UInt32] = []
        var last: [UInt32] = []
        while true {
            switch await next() {
            case .frame(let frame) where frame.type == WireFrame.FrameType.goAway:
                last.append(frame.number(at: 0))
                codes.append(frame.number(at: 4))
            case .frame: break
            case .closed: return (codes, last, true)
            case .silence: return (codes, last, false)
            }
        }
    }
}

private final class FrameSplitter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private var buffer = ByteBuffer()
    private let continuation: AsyncStream<FrameClient.Event>.Continuation

    init(_ continuation: AsyncStream<FrameClient.Event>.Continuation) { self.continuation = continuation }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        buffer.writeImmutableBuffer(unwrapInboundIn(data))
        while let head = buffer.getBytes(at: buffer.readerIndex, length: 9) {
            let length = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
            guard buffer.readableBytes >= 9 + length else { return }
            buffer.moveReaderIndex(forwardBy: 9)
            let stream = head[5...].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
            let payload = buffer.readBytes(length: length)!
            continuation.yield(.frame(WireFrame(type: head[3], flags: head[4], stream: stream, payload: payload)))
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed { continuation.yield(.closed) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    func channelInactive(context: ChannelHandlerContext) { continuation.yield(.closed) }
}
