extension SpecScenario {
    private static let get = WireFrame.request()
    private static let post = WireFrame.request("POST")
    private static let block = WireFrame.block(get)
    private static let dummy = WireFrame.block([("x-dummy0", String(repeating: "x", count: 4000))])
    private static let ping = WireFrame.ping()
    private static let pong = Reaction.pong("12345678")
    private static let protocolError = Reaction.connectionError([ErrorCode.protocolError])
    private static let frameSize = Reaction.connectionError([ErrorCode.frameSize])
    private static let flowControl = Reaction.connectionError([ErrorCode.flowControl])

    static let frames: [SpecScenario] = [
        SpecScenario("http2/6.1/1", "DATA on stream 0", .data(0, "test", end: true), reaction: protocolError),
        SpecScenario(
            "http2/6.1/2", "DATA on a stream that is not open", .headers(1, post), .data(1, "test", end: true),
            reaction: .streamError([ErrorCode.streamClosed])),
        SpecScenario(
            "http2/6.1/3", "DATA with more padding than it has", .headers(1, post + [("content-length", "4")], end: false),
            WireFrame(type: WireFrame.FrameType.data, flags: 0x9, stream: 1, payload: [6] + Array("Test".utf8)), reaction: protocolError),
        SpecScenario(
            "http2/6.2/1", "PRIORITY after HEADERS without END_HEADERS", .headers(1, block, end: false, endsBlock: false), .priority(1),
            .continuation(1, dummy), reaction: protocolError),
        SpecScenario(
            "http2/6.2/2", "HEADERS of another stream after HEADERS without END_HEADERS",
            .headers(1, block, end: false, endsBlock: false), .headers(3, get), .continuation(1, dummy), reaction: protocolError),
        SpecScenario("http2/6.2/3", "HEADERS on stream 0", .headers(0, get), reaction: protocolError),
        SpecScenario(
            "http2/6.2/4", "HEADERS with more padding than it has",
            WireFrame(type: WireFrame.FrameType.headers, flags: 0xD, stream: 1, payload: [UInt8(block.count + 2)] + block),
            reaction: .streamError([ErrorCode.protocolError])),
        SpecScenario("http2/6.3/1", "PRIORITY on stream 0", .priority(0), reaction: protocolError),
        SpecScenario(
            "http2/6.3/2", "PRIORITY of 4 octets", .headers(1, get),
            WireFrame(type: WireFrame.FrameType.priority, stream: 1, payload: [0x80, 0, 0, 1]),
            reaction: .streamError([ErrorCode.frameSize])),
        SpecScenario("http2/6.4/1", "RST_STREAM on stream 0", .resetStream(0), reaction: protocolError),
        SpecScenario("http2/6.4/2", "RST_STREAM on an idle stream", .resetStream(1), reaction: protocolError),
        SpecScenario(
            "http2/6.4/3", "RST_STREAM of 3 octets", .headers(1, get),
            WireFrame(type: WireFrame.FrameType.resetStream, stream: 1, payload: [0, 0, 0]),
            reaction: .streamError([ErrorCode.frameSize])),
        SpecScenario(
            "http2/6.5/1", "SETTINGS that acknowledges and says something",
            WireFrame(type: WireFrame.FrameType.settings, flags: WireFrame.ack, payload: [0]), reaction: frameSize),
        SpecScenario(
            "http2/6.5/2", "SETTINGS on a stream",
            WireFrame(type: WireFrame.FrameType.settings, stream: 1, payload: [0, 3, 0, 0, 0, 0x64]),
            reaction: protocolError),
        SpecScenario(
            "http2/6.5/3", "SETTINGS of half an entry", WireFrame(type: WireFrame.FrameType.settings, payload: [0, 3, 0]),
            reaction: .streamError([ErrorCode.protocolError, ErrorCode.frameSize])),
        SpecScenario("http2/6.5.2/1", "SETTINGS_ENABLE_PUSH of 2", .settings([(2, 2)]), reaction: protocolError),
        SpecScenario("http2/6.5.2/2", "SETTINGS_INITIAL_WINDOW_SIZE of 2^31", .settings([(4, 1 << 31)]), reaction: flowControl),
        SpecScenario("http2/6.5.2/3", "SETTINGS_MAX_FRAME_SIZE too small", .settings([(5, 16_383)]), reaction: protocolError),
        SpecScenario("http2/6.5.2/4", "SETTINGS_MAX_FRAME_SIZE too large", .settings([(5, 16_777_216)]), reaction: protocolError),
        SpecScenario(
            "http2/6.5.2/5", "an unknown setting", [.send([.settings([(0xFF, 1)])]), .settingsAck, .send([ping])], pong),
        SpecScenario(
            "http2/6.5.3/1", "a setting twice: the last one counts",
            [.send([.settings([(4, 100), (4, 1)])]), .settingsAck, .send([.headers(1, get)])], .data(1)),
        SpecScenario("http2/6.5.3/2", "SETTINGS is acknowledged", .settings([(2, 0)]), reaction: .settingsAck),
        SpecScenario("http2/6.7/1", "PING", .ping("h2spec  "), reaction: .pong("h2spec  ")),
        SpecScenario("http2/6.7/2", "PING that acknowledges", .ping("invalid ", isAck: true), ping, reaction: pong),
        SpecScenario(
            "http2/6.7/3", "PING on a stream",
            WireFrame(type: WireFrame.FrameType.ping, stream: 1, payload: [UInt8](repeating: 0, count: 8)), reaction: protocolError),
        SpecScenario(
            "http2/6.7/4", "PING of 6 octets", WireFrame(type: WireFrame.FrameType.ping, payload: [UInt8](repeating: 0, count: 6)),
            reaction: frameSize),
        SpecScenario(
            "http2/6.8/1", "GOAWAY on a stream",
            WireFrame(type: WireFrame.FrameType.goAway, stream: 1, payload: [UInt8](repeating: 0, count: 8)), reaction: protocolError),
        SpecScenario("http2/6.9/1", "WINDOW_UPDATE by 0 on the connection", .windowUpdate(0, 0), reaction: protocolError),
        SpecScenario(
            "http2/6.9/2", "WINDOW_UPDATE by 0 on a stream", .headers(1, get, end: false), .windowUpdate(1, 0),
            reaction: .streamError([ErrorCode.protocolError])),
        SpecScenario(
            "http2/6.9/3", "WINDOW_UPDATE of 3 octets", WireFrame(type: WireFrame.FrameType.windowUpdate, payload: [0, 0, 1]),
            reaction: frameSize),
        SpecScenario(
            "http2/6.9.1/1", "a window of 1", [.send([.settings([(4, 1)])]), .settingsAck, .send([.headers(1, get)])], .data(1)),
        SpecScenario(
            "http2/6.9.1/2", "the connection's window beyond 2^31-1", .windowUpdate(0, 1 << 31 - 1), .windowUpdate(0, 1 << 31 - 1),
            reaction: flowControl),
        SpecScenario(
            "http2/6.9.1/3", "a stream's window beyond 2^31-1", .headers(1, get, end: false), .windowUpdate(1, 1 << 31 - 1),
            .windowUpdate(1, 1 << 31 - 1), reaction: .reset(ErrorCode.flowControl)),
        SpecScenario(
            "http2/6.9.2/1", "the initial window changes while a stream is open",
            [.send([.settings([(4, 0)])]), .settingsAck, .send([.headers(1, get), .settings([(4, 1)])])], .data(1)),
        SpecScenario(
            "http2/6.9.2/2", "a window becomes negative",
            [
                .send([.settings([(4, 3)])]), .settingsAck, .send([.headers(1, get)]), .data, .send([.settings([(4, 2)])]), .settingsAck,
                .send([.windowUpdate(1, 2)]),
            ], .data(1)),
        SpecScenario("http2/6.9.2/3", "the initial window beyond 2^31-1", .settings([(4, 1 << 31)]), reaction: flowControl),
        SpecScenario(
            "http2/6.10/1", "several CONTINUATION", .headers(1, block, endsBlock: false), .continuation(1, dummy, ends: false),
            .continuation(1, dummy), reaction: .answer),
        SpecScenario(
            "http2/6.10/2", "CONTINUATION, then another frame", .headers(1, block, end: false, endsBlock: false),
            .continuation(1, dummy, ends: false), .data(1, "test", end: true), reaction: protocolError),
        SpecScenario(
            "http2/6.10/3", "CONTINUATION on stream 0", .headers(1, block, endsBlock: false), .continuation(0, dummy),
            reaction: protocolError),
        SpecScenario(
            "http2/6.10/4", "CONTINUATION after END_HEADERS", .headers(1, block), .continuation(1, dummy), reaction: protocolError),
        SpecScenario(
            "http2/6.10/5", "CONTINUATION after CONTINUATION with END_HEADERS", .headers(1, block, endsBlock: false),
            .continuation(1, dummy), .continuation(1, dummy), reaction: protocolError),
        SpecScenario(
            "http2/6.10/6", "CONTINUATION after DATA", .headers(1, block, end: false, endsBlock: false), .data(1, "test", end: true),
            .continuation(1, dummy, ends: false), .continuation(0, dummy), reaction: protocolError),
        SpecScenario(
            "http2/7/1", "GOAWAY with an unknown code", .goAway(last: 0, 0xFF), ping, reaction: .pongOrClose("12345678")),
        SpecScenario(
            "http2/7/2", "RST_STREAM with an unknown code", .headers(1, post, end: false), .resetStream(1, 0xFF), ping,
            reaction: .pongOrClose("12345678")),
    ]
}
