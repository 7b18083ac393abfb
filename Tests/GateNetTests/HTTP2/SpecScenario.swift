import NIOHPACK
import Testing

/// A row of the tables of protocol conformance: what a client sends, and how the server must react.
struct SpecScenario: Sendable, CustomTestStringConvertible {
    enum Step: Sendable {
        case send([WireFrame])
        case bytes([UInt8])
        /// Awaits the acknowledgement of the SETTINGS before it.
        case settingsAck
        /// Awaits the end of the answer on stream 1.
        case answered
        /// Awaits a DATA frame.
        case data
    }

    enum Reaction: Sendable {
        /// GOAWAY with one of these codes, and the connection closes.
        case connectionError([UInt32])
        /// RST_STREAM with one of these codes, or a connection error with one of them.
        case streamError([UInt32])
        /// RST_STREAM on stream 1 with this code, and the connection stays.
        case reset(UInt32)
        /// An answer on stream 1 with status 200.
        case answer
        /// PING comes back with the same octets.
        case pong(String)
        /// PING comes back, or the connection closes.
        case pongOrClose(String)
        case settingsAck
        /// A DATA frame of that many bytes is the next.
        case data(Int)
        /// The first frame of the server is a SETTINGS frame that acknowledges nothing.
        case settingsFirst
    }

    /// Section and number of the case in h2spec, whose table this follows.
    let id: String
    let title: String
    let steps: [Step]
    let reaction: Reaction
    /// Where we do other than h2spec asks, and are judged by `reaction`: why.
    var deviation: String?

    init(_ id: String, _ title: String, _ steps: [Step], _ reaction: Reaction) {
        self.id = id
        self.title = title
        self.steps = steps
        self.reaction = reaction
    }

    /// All of it in one piece.
    init(_ id: String, _ title: String, _ frames: WireFrame..., reaction: Reaction) {
        self.init(id, title, [.send(frames)], reaction)
    }

    init(_ id: String, _ title: String, bytes: [UInt8], _ reaction: Reaction) { self.init(id, title, [.bytes(bytes)], reaction) }

    func deviating(_ reason: String) -> SpecScenario {
        var scenario = self
        scenario.deviation = reason
        return scenario
    }

    var testDescription: String { "\(id): \(title)" }

    /// Plays the scenario against the server on `port`. A failure is recorded as an issue.
    func play(port: Int) async throws {
        let greets = if case .settingsFirst = reaction { false } else { !id.hasPrefix("http2/3.5") }
        let client = try await FrameClient(port: port, greets: greets)
        for step in steps {
            switch step {
            case .send(let frames): try await client.send(frames)
            case .bytes(let bytes): try await client.send(bytes: bytes)
            case .settingsAck:
                try #require(await client.next { $0.type == WireFrame.FrameType.settings && $0.has(WireFrame.ack) } != nil)
            case .answered: try #require(await client.next { $0.stream == 1 && $0.has(WireFrame.endStream) } != nil)
            case .data: try #require(await client.next { $0.type == WireFrame.FrameType.data } != nil)
            }
        }
        let isRight = try await judge(client)
        #expect(isRight, "\(self): the server sent \(client.seen)")
    }

    private func judge(_ client: FrameClient) async throws -> Bool {
        switch reaction {
        case .connectionError(let codes):
            let ending = await client.ending()
            return ending.isClosed && ending.codes.first.map(codes.contains) == true
        case .streamError(let codes):
            while true {
                switch await client.next() {
                case .frame(let frame) where frame.type == WireFrame.FrameType.resetStream:
                    if codes.contains(frame.number(at: 0)) { return true }
                case .frame(let frame) where frame.type == WireFrame.FrameType.goAway: return codes.contains(frame.number(at: 4))
                case .frame: break
                case .closed, .silence: return false
                }
            }
        case .reset(let code):
            let frame = await client.next { $0.type == WireFrame.FrameType.resetStream && $0.stream == 1 }
            try await client.send(.ping("stillup?"))
            let pong = await client.next { $0.type == WireFrame.FrameType.ping }
            return frame?.number(at: 0) == code && pong?.has(WireFrame.ack) == true
        case .answer:
            guard let frame = await client.next(where: { $0.type == WireFrame.FrameType.headers }) else { return false }
            return try frame.stream == 1 && client.fields(of: frame).first(name: ":status") == "200"
        case .pong(let text):
            let pong = await client.next { $0.type == WireFrame.FrameType.ping }
            return pong?.has(WireFrame.ack) == true && pong?.text == text
        case .pongOrClose(let text):
            while true {
                switch await client.next() {
                case .frame(let frame) where frame.type == WireFrame.FrameType.ping:
                    return frame.has(WireFrame.ack) && frame.text == text
                case .frame: break
                case .closed: return true
                case .silence: return false
                }
            }
        case .settingsAck: return await client.next { $0.type == WireFrame.FrameType.settings }?.has(WireFrame.ack) == true
        case .data(let count): return await client.next { $0.type == WireFrame.FrameType.data }?.payload.count == count
        case .settingsFirst:
            guard case .frame(let frame) = await client.next() else { return false }
            return frame.type == WireFrame.FrameType.settings && !frame.has(WireFrame.ack)
        }
    }
}
