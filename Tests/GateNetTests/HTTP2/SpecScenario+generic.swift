extension SpecScenario {
    private static let get = WireFrame.request()
    private static let post = WireFrame.request("POST")
    private static let ping = WireFrame.ping()
    private static let pong = Reaction.pong("12345678")
    private static let block = WireFrame.block(get)

    static let generic: [SpecScenario] =
        [
            SpecScenario(
                "generic/1/1", "the preface is taken", [.bytes(WireFrame.preface), .send([.settings([(4, 65_535)])])], .settingsFirst),
            SpecScenario("generic/2/1", "PRIORITY on an idle stream", .priority(1), ping, reaction: pong),
            SpecScenario(
                "generic/2/2", "WINDOW_UPDATE on a half-closed stream",
                [.send([.settings([(4, 0)])]), .settingsAck, .send([.headers(1, get), .windowUpdate(1, 1)])], .data(1)),
            SpecScenario(
                "generic/2/3", "PRIORITY on a half-closed stream",
                [.send([.settings([(4, 0)])]), .settingsAck, .send([.headers(1, get), .priority(1), .windowUpdate(1, 1)])], .data(1)),
            SpecScenario(
                "generic/2/4", "RST_STREAM on a half-closed stream", .headers(1, get), .resetStream(1), ping,
                reaction: .pongOrClose("12345678")),
            SpecScenario(
                "generic/2/5", "PRIORITY on a closed stream", [.send([.headers(1, get)]), .answered, .send([.priority(1), ping])], pong),
            SpecScenario(
                "generic/3.1/1", "DATA", .headers(1, post, end: false), .data(1, "test", end: true), reaction: .answer),
            SpecScenario(
                "generic/3.1/2", "several DATA", .headers(1, post, end: false), .data(1, "test"), .data(1, "test", end: true),
                reaction: .answer),
            SpecScenario(
                "generic/3.1/3", "DATA with padding", .headers(1, post, end: false),
                WireFrame(
                    type: WireFrame.FrameType.data, flags: WireFrame.padded | WireFrame.endStream, stream: 1,
                    payload: [5] + Array("test".utf8) + [0, 0, 0, 0, 0]), reaction: .answer),
            SpecScenario("generic/3.2/1", "HEADERS", .headers(1, get), reaction: .answer),
            SpecScenario(
                "generic/3.2/2", "HEADERS with padding", flagged(WireFrame.padded, [8] + block + [UInt8](repeating: 0, count: 8)),
                reaction: .answer),
            SpecScenario(
                "generic/3.2/3", "HEADERS with priority", flagged(WireFrame.withPriority, [0, 0, 0, 0, 255] + block), reaction: .answer),
            SpecScenario("generic/3.3/1", "PRIORITY, weight 1", .priority(1, weight: 0), .headers(1, get), reaction: .answer),
            SpecScenario("generic/3.3/2", "PRIORITY, weight 256", .priority(1, weight: 255), .headers(1, get), reaction: .answer),
            SpecScenario("generic/3.3/3", "PRIORITY, dependent", .priority(3, dependsOn: 1), .headers(1, get), reaction: .answer),
            SpecScenario("generic/3.3/4", "PRIORITY, exclusive", .priority(1, exclusive: true), .headers(1, get), reaction: .answer),
            SpecScenario("generic/3.3/5", "PRIORITY of a later stream", .priority(3), .headers(1, get), reaction: .answer),
            SpecScenario(
                "generic/3.4/1", "RST_STREAM", .headers(1, get, end: false), .resetStream(1), ping, reaction: .pongOrClose("12345678")),
            SpecScenario(
                "generic/3.5/1", "SETTINGS, all of them",
                .settings([(1, 4096), (2, 1), (3, 100), (4, 65_535), (5, 16_384), (6, 100)]), reaction: .settingsAck),
            SpecScenario("generic/3.7/1", "PING", ping, reaction: pong),
            SpecScenario("generic/3.8/1", "GOAWAY", .goAway(), ping, reaction: .pongOrClose("12345678")),
            SpecScenario("generic/3.9/1", "WINDOW_UPDATE of the connection", .windowUpdate(0, 1), ping, reaction: pong),
            SpecScenario("generic/3.9/2", "WINDOW_UPDATE of a stream", .headers(1, get), .windowUpdate(1, 1), reaction: .answer),
            SpecScenario(
                "generic/3.10/1", "CONTINUATION", .headers(1, Array(block.prefix(5)), endsBlock: false),
                .continuation(1, Array(block.dropFirst(5))), reaction: .answer),
            SpecScenario(
                "generic/3.10/2", "several CONTINUATION", .headers(1, Array(block.prefix(5)), endsBlock: false),
                .continuation(1, Array(block[5..<10]), ends: false), .continuation(1, Array(block.dropFirst(10))), reaction: .answer),
            SpecScenario("generic/4/1", "GET", .headers(1, get), reaction: .answer),
            SpecScenario("generic/4/2", "HEAD", .headers(1, WireFrame.request("HEAD")), reaction: .answer),
            SpecScenario(
                "generic/4/3", "POST", .headers(1, post, end: false), .data(1, "test", end: true), reaction: .answer),
            SpecScenario(
                "generic/4/4", "POST with trailers", .headers(1, post + [("trailer", "x-test")], end: false), .data(1, "test"),
                .headers(1, [("x-test", "ok")]), reaction: .answer),
        ] + representations

    /// Every form in which a field may be written (RFC 7541 §6), each at the end of a request.
    private static let representations: [SpecScenario] =
        [
            ("an indexed field", [0xBA]),
            ("a literal, indexed", [0x40, 0x87, 0xB5, 0x05, 0xB1, 0x61, 0xCC, 0x5A, 0x93] + huffmanValue),
            ("a literal, indexed by name", [0x7A] + plainValue),
            ("a literal, indexed, new name", [0x40] + plainName + plainValue),
            ("a literal, indexed, new name, Huffman", [0x40] + huffmanName + huffmanValue),
            ("a literal, not indexed, known name", [0x0F, 0x2B] + plainValue),
            ("a literal, not indexed, known name, Huffman", [0x0F, 0x2B] + huffmanValue),
            ("a literal, not indexed, new name", [0x00] + plainName + plainValue),
            ("a literal, not indexed, new name, Huffman", [0x00] + huffmanName + huffmanValue),
            ("a literal, never indexed, known name", [0x1F, 0x2B] + plainValue),
            ("a literal, never indexed, known name, Huffman", [0x1F, 0x2B] + huffmanValue),
            ("a literal, never indexed, new name", [0x10] + plainName + plainValue),
            ("a literal, never indexed, new name, Huffman", [0x10] + huffmanName + huffmanValue),
        ].enumerated().map { number, form in
            SpecScenario("generic/5/\(number + 1)", form.0, .headers(1, block + form.1), reaction: .answer)
        } + [
            SpecScenario("generic/5/14", "a smaller table", .headers(1, [0x3F, 0x61] + block), reaction: .answer),
            SpecScenario(
                "generic/5/15", "a smaller table, and a larger one", .headers(1, [0x3F, 0x61, 0x3F, 0xE1, 0x1F] + block), reaction: .answer),
        ]

    /// `x-test` and `h2spec`.
    private static let plainName: [UInt8] = [6] + Array("x-test".utf8)
    private static let huffmanName: [UInt8] = [0x85, 0xF2, 0xB2, 0x4A, 0x84, 0xFF]
    private static let plainValue: [UInt8] = [6] + Array("h2spec".utf8)
    private static let huffmanValue: [UInt8] = [0x84, 0x9C, 0x48, 0xAC, 0xA4]

    private static func flagged(_ flag: UInt8, _ payload: [UInt8]) -> WireFrame {
        WireFrame(
            type: WireFrame.FrameType.headers, flags: WireFrame.endStream | WireFrame.endHeaders | flag, stream: 1, payload: payload)
    }
}
