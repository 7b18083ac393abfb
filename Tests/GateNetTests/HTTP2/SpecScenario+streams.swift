extension SpecScenario {
    private static let get = WireFrame.request()
    private static let post = WireFrame.request("POST")
    private static let block = WireFrame.block(get)
    private static let dummy = WireFrame.block([("x-dummy0", String(repeating: "x", count: 4000))])
    private static let ping = WireFrame.ping()
    private static let pong = Reaction.pong("12345678")
    private static let protocolError = Reaction.connectionError([ErrorCode.protocolError])
    private static let streamClosed = Reaction.streamError([ErrorCode.streamClosed])
    private static let otherCode = "NIOHTTP2Handler ends it as it must end, but says PROTOCOL_ERROR for STREAM_CLOSED."
    private static let unknown = WireFrame(type: 0x16, payload: [UInt8](repeating: 0, count: 8))
    private static let invalidPing = WireFrame(type: WireFrame.FrameType.ping, stream: 3, payload: [UInt8](repeating: 0, count: 8))

    static let streams: [SpecScenario] = [
        SpecScenario(
            "http2/3.5/1", "the server's preface comes first", [.bytes(WireFrame.preface), .send([.settings([(4, 65_535)])])],
            .settingsFirst),
        SpecScenario("http2/3.5/2", "an invalid preface", bytes: Array("INVALID CONNECTION PREFACE\r\n\r\n".utf8), protocolError),
        SpecScenario("http2/4.1/1", "a frame of an unknown type", unknown, ping, reaction: pong),
        SpecScenario(
            "http2/4.1/2", "an undefined flag",
            WireFrame(type: WireFrame.FrameType.ping, flags: 0x16, payload: Array("12345678".utf8)), reaction: pong),
        SpecScenario(
            "http2/4.1/3", "the reserved bit",
            WireFrame(type: WireFrame.FrameType.ping, flags: 0x16, stream: 1 << 31, payload: Array("12345678".utf8)), reaction: pong),
        SpecScenario(
            "http2/4.2/1", "DATA of 2^14 octets", .headers(1, post, end: false),
            .data(1, [UInt8](repeating: 120, count: 16_384), end: true),
            reaction: .answer),
        SpecScenario(
            "http2/4.2/2", "DATA of more", .headers(1, post, end: false), .data(1, [UInt8](repeating: 120, count: 16_385), end: true),
            reaction: .streamError([ErrorCode.frameSize])),
        SpecScenario(
            "http2/4.2/3", "HEADERS of more", .headers(1, block + dummy + dummy + dummy + dummy + dummy),
            reaction: .connectionError([ErrorCode.frameSize])),
        SpecScenario("http2/4.3/1", "half a field", .headers(1, [0x40]), reaction: .connectionError([ErrorCode.compression])),
        SpecScenario(
            "http2/4.3/2", "PRIORITY within a field section", .headers(1, block, end: false, endsBlock: false), .priority(1),
            .continuation(1, dummy), reaction: protocolError),
        SpecScenario(
            "http2/4.3/3", "HEADERS of another stream within a field section", .headers(1, block, end: false, endsBlock: false),
            .headers(3, get), .continuation(1, dummy), reaction: protocolError),
        SpecScenario(
            "http2/5.1/1", "idle: DATA", .data(1, "test", end: true),
            reaction: .streamError([ErrorCode.protocolError, ErrorCode.streamClosed])),
        SpecScenario("http2/5.1/2", "idle: RST_STREAM", .resetStream(1), reaction: protocolError),
        SpecScenario("http2/5.1/3", "idle: WINDOW_UPDATE", .windowUpdate(1, 100), reaction: protocolError),
        SpecScenario("http2/5.1/4", "idle: CONTINUATION", .continuation(1, block), reaction: protocolError),
        SpecScenario("http2/5.1/5", "half-closed: DATA", .headers(1, get), .data(1, "test", end: true), reaction: streamClosed),
        SpecScenario("http2/5.1/6", "half-closed: HEADERS", .headers(1, get), .headers(1, get), reaction: .reset(ErrorCode.protocolError))
            .deviating(otherCode),
        SpecScenario(
            "http2/5.1/7", "half-closed: CONTINUATION", .headers(1, get), .continuation(1, block),
            reaction: .streamError([ErrorCode.streamClosed, ErrorCode.protocolError])),
        SpecScenario(
            "http2/5.1/8", "reset: DATA", .headers(1, get, end: false), .resetStream(1), .data(1, "test", end: true),
            reaction: streamClosed),
        SpecScenario(
            "http2/5.1/9", "reset: HEADERS", .headers(1, get, end: false), .resetStream(1), .headers(1, get), reaction: protocolError
        ).deviating(otherCode),
        SpecScenario(
            "http2/5.1/10", "reset: CONTINUATION", .headers(1, get, end: false), .resetStream(1), .continuation(1, dummy),
            reaction: .streamError([ErrorCode.streamClosed, ErrorCode.protocolError])),
        SpecScenario(
            "http2/5.1/11", "closed: DATA", [.send([.headers(1, get)]), .answered, .send([.data(1, "test", end: true)])], streamClosed),
        SpecScenario(
            "http2/5.1/12", "closed: HEADERS", [.send([.headers(1, get)]), .answered, .send([.headers(1, get)])],
            .connectionError([ErrorCode.streamClosed, ErrorCode.protocolError])),
        SpecScenario(
            "http2/5.1/13", "closed: CONTINUATION", [.send([.headers(1, get)]), .answered, .send([.continuation(1, dummy)])],
            .connectionError([ErrorCode.streamClosed, ErrorCode.protocolError])),
        SpecScenario("http2/5.1.1/1", "an even stream identifier", .headers(2, get), reaction: protocolError),
        SpecScenario("http2/5.1.1/2", "a smaller stream identifier", .headers(5, get), .headers(3, get), reaction: protocolError),
        SpecScenario(
            "http2/5.1.2/1", "more streams than announced",
            [
                .send([.settings([(4, 0)])]), .settingsAck,
                .send((0...HTTP2Limits.concurrency).map { .headers(UInt32($0 * 2 + 1), get) }),
            ], .streamError([ErrorCode.protocolError, ErrorCode.refusedStream])),
        SpecScenario(
            "http2/5.3.1/1", "HEADERS dependent on itself",
            WireFrame(
                type: WireFrame.FrameType.headers, flags: WireFrame.endStream | WireFrame.endHeaders | WireFrame.withPriority, stream: 1,
                payload: [0, 0, 0, 1, 255] + block), reaction: .streamError([ErrorCode.protocolError])),
        SpecScenario(
            "http2/5.3.1/2", "PRIORITY dependent on itself", .priority(1, dependsOn: 1), reaction: .streamError([ErrorCode.protocolError])),
        SpecScenario("http2/5.4.1/1", "a connection error closes", invalidPing, reaction: protocolError),
        SpecScenario("http2/5.4.1/2", "a connection error is said", invalidPing, reaction: protocolError),
        SpecScenario("http2/5.5/1", "an extension frame", unknown, ping, reaction: pong),
        SpecScenario(
            "http2/5.5/2", "an extension frame within a field section", .headers(1, block, endsBlock: false), unknown,
            reaction: protocolError),
    ]
}

enum HTTP2Limits {
    /// What the server announces as SETTINGS_MAX_CONCURRENT_STREAMS.
    static let concurrency = 100
}
