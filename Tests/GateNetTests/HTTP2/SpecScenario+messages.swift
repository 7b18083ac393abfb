extension SpecScenario {
    private static let get = WireFrame.request()
    private static let post = WireFrame.request("POST")
    private static let block = WireFrame.block(get)
    private static let malformed = Reaction.streamError([ErrorCode.protocolError])
    private static let compressionError = Reaction.connectionError([ErrorCode.compression])

    static let messages: [SpecScenario] = [
        SpecScenario(
            "http2/8.1/1", "HEADERS again without END_STREAM", .headers(1, post, end: false), .data(1, "test"),
            .headers(1, [("x-test", "ok")], end: false), reaction: malformed),
        SpecScenario("http2/8.1.2/1", "upper case in a name", .headers(1, get + [("X-TEST", "ok")]), reaction: malformed),
        SpecScenario("http2/8.1.2.1/1", "an unknown pseudo-header", .headers(1, get + [(":test", "ok")]), reaction: malformed),
        SpecScenario("http2/8.1.2.1/2", "a pseudo-header of responses", .headers(1, get + [(":status", "200")]), reaction: malformed),
        SpecScenario(
            "http2/8.1.2.1/3", "a pseudo-header in trailers", .headers(1, post, end: false), .data(1, "test"),
            .headers(1, [(":method", "POST")]), reaction: malformed),
        SpecScenario(
            "http2/8.1.2.1/4", "a pseudo-header after a regular one", .headers(1, [("x-test", "ok")] + get), reaction: malformed),
        SpecScenario(
            "http2/8.1.2.2/1", "a field about the connection", .headers(1, get + [("connection", "keep-alive")]), reaction: malformed),
        SpecScenario(
            "http2/8.1.2.2/2", "TE other than trailers", .headers(1, get + [("trailers", "test"), ("te", "trailers, deflate")]),
            reaction: malformed),
        SpecScenario("http2/8.1.2.3/1", "an empty :path", .headers(1, WireFrame.request("GET", "")), reaction: malformed),
        SpecScenario("http2/8.1.2.3/2", "no :method", .headers(1, without(":method")), reaction: malformed),
        SpecScenario("http2/8.1.2.3/3", "no :scheme", .headers(1, without(":scheme")), reaction: malformed),
        SpecScenario("http2/8.1.2.3/4", "no :path", .headers(1, without(":path")), reaction: malformed),
        SpecScenario("http2/8.1.2.3/5", ":method twice", .headers(1, [(":method", "GET")] + get), reaction: malformed),
        SpecScenario("http2/8.1.2.3/6", ":scheme twice", .headers(1, [(":scheme", "http")] + get), reaction: malformed),
        SpecScenario("http2/8.1.2.3/7", ":path twice", .headers(1, [(":path", "/")] + get), reaction: malformed),
        SpecScenario(
            "http2/8.1.2.6/1", "Content-Length and another length", .headers(1, post + [("content-length", "1")], end: false),
            .data(1, "test", end: true), reaction: malformed),
        SpecScenario(
            "http2/8.1.2.6/2", "Content-Length and another length in all", .headers(1, post + [("content-length", "1")], end: false),
            .data(1, "test"), .data(1, "test", end: true), reaction: malformed),
        SpecScenario(
            "http2/8.2/1", "PUSH_PROMISE",
            WireFrame(
                type: WireFrame.FrameType.pushPromise, flags: WireFrame.endHeaders, stream: 1, payload: WireFrame.bytes(3) + block),
            reaction: .connectionError([ErrorCode.protocolError])),
    ]

    /// Beyond h2spec: a body that Content-Length does not agree with must not pass for a whole one (RFC 9113 §8.1.1).
    static let lengths: [SpecScenario] = [
        SpecScenario(
            "lengths/1", "less than Content-Length", .headers(1, post + [("content-length", "5")], end: false),
            .data(1, "test", end: true), reaction: malformed),
        SpecScenario(
            "lengths/2", "nothing of what Content-Length says", .headers(1, post + [("content-length", "5")], end: false),
            .data(1, "", end: true), reaction: malformed),
        SpecScenario(
            "lengths/3", "trailers before all of it has come", .headers(1, post + [("content-length", "5")], end: false),
            .data(1, "test"), .headers(1, [("x-end", "1")]), reaction: malformed),
        SpecScenario(
            "lengths/4", "something where Content-Length says nothing", .headers(1, post + [("content-length", "0")], end: false),
            .data(1, "test", end: true), reaction: malformed),
    ]

    static let compression: [SpecScenario] = [
        SpecScenario("hpack/2.3.3/1", "an index beyond the table", .headers(1, block + [0xC6]), reaction: compressionError),
        SpecScenario(
            "hpack/2.3.3/2", "a name's index beyond the table", .headers(1, block + [0x7F, 0x07, 0x00]), reaction: compressionError),
        SpecScenario("hpack/4.2/1", "a table size at the end", .headers(1, block + [0x21]), reaction: compressionError),
        SpecScenario(
            "hpack/5.2/1", "Huffman padding of more than 7 bits",
            .headers(1, block + [0x00, 0x85, 0xF2, 0xB2, 0x4A, 0x84, 0xFF, 0x84, 0x49, 0x50, 0x9F, 0xFF]), reaction: compressionError),
        SpecScenario(
            "hpack/5.2/2", "Huffman padding of zeros",
            .headers(1, block + [0x00, 0x85, 0xF2, 0xB2, 0x4A, 0x84, 0xFF, 0x83, 0x49, 0x50, 0x90]), reaction: compressionError),
        SpecScenario(
            "hpack/5.2/3", "Huffman's EOS",
            .headers(
                1, block + [0x00, 0x85, 0xF2, 0xB2, 0x4A, 0x84, 0xFF, 0x87, 0x49, 0x51, 0xFF, 0xFF, 0xFF, 0xFA, 0x7F]),
            reaction: compressionError),
        SpecScenario("hpack/6.1/1", "index 0", .headers(1, block + [0x80]), reaction: compressionError),
        SpecScenario(
            "hpack/6.3/1", "a table larger than announced", .headers(1, [0x3F, 0xE2, 0x1F] + block), reaction: compressionError),
    ]

    private static func without(_ name: String) -> [(String, String)] { get.filter { $0.0 != name } }
}
