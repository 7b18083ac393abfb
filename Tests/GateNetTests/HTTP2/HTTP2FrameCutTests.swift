import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1
import Testing

@testable import GateNet

@Suite("HTTP/2 frames cut by windows")
struct HTTP2FrameCutTests {
    struct Case: Sendable {
        let count: Int
        let stream: Int
        let connection: Int
        let sent: Int?
    }

    @Test(
        "What fits goes as it is, what does not is cut where that is worth a frame",
        arguments: [
            Case(count: 5, stream: 65_535, connection: 65_535, sent: 5),
            Case(count: 100_000, stream: 65_535, connection: 65_535, sent: 16_384),
            Case(count: 100_000, stream: 9000, connection: 65_535, sent: 9000),
            Case(count: 100_000, stream: 65_535, connection: 4096, sent: 4096),
            Case(count: 1, stream: 0, connection: 65_535, sent: nil),
            Case(count: 1, stream: -5, connection: 65_535, sent: nil),
            Case(count: 10, stream: 10, connection: 10, sent: 10),
        ])
    func sizes(_ scenario: Case) {
        var cut = HTTP2FrameCut()
        let piece = cut.next(of: scenario.count, stream: .used(to: scenario.stream), connection: .used(to: scenario.connection))
        #expect(piece?.count == scenario.sent)
        #expect(piece?.mayBringUpdates ?? true)
    }

    @Test("Small frames are few, and come back with what is sent")
    func smallFrames() {
        var cut = HTTP2FrameCut()
        let (narrow, wide) = (HTTP2SendWindow.used(to: 1), HTTP2SendWindow(1 << 20))
        for _ in 0..<HTTP2FrameCut.smallFrames { #expect(cut.next(of: 100, stream: narrow, connection: wide)?.count == 1) }
        #expect(cut.next(of: 100, stream: narrow, connection: wide) == nil)
        for _ in 0..<HTTP2FrameCut.bytesForSmallFrame / HTTP2FrameCut.largest {
            #expect(cut.next(of: HTTP2FrameCut.largest, stream: wide, connection: wide) != nil)
        }
        #expect(cut.next(of: 100, stream: narrow, connection: wide)?.count == 1)
        #expect(cut.next(of: 100, stream: narrow, connection: wide) == nil)
    }

    @Test("A client that has never opened more is sent what it takes, but nothing is owed to it for updates of a few bytes")
    func chosenSmall() {
        var cut = HTTP2FrameCut()
        let window = HTTP2SendWindow(10)
        for _ in 0..<100 {
            #expect(cut.next(of: 1000, stream: window, connection: HTTP2SendWindow(65_535)) == .init(count: 10, mayBringUpdates: false))
        }
    }

    @Test(
        "A response comes whole, in frames worth sending, however a client opens its windows", arguments: WindowHabit.allCases)
    func habits(_ habit: WindowHabit) async throws {
        let sizes = (0..<100).map { [65_536, 10_007, 3, 40_000][$0 % 4] }
        let size = sizes.reduce(0, +)
        try await TestServer.run(decorator: PriorKnowledge()) { _ in
            .now(
                Response(
                    .ok,
                    body: .stream(length: nil) { writer in
                        for size in sizes { try await writer.write(ByteBuffer(repeating: 0x61, count: size)) }
                    }))
        } _: { server in
            let client = try await FrameClient(port: server.port)
            try await client.send(.headers(1, WireFrame.request()))
            var (received, frames, owed) = (0, 0, 0)
            while let frame = await client.next(where: { $0.stream == 1 && $0.type == WireFrame.FrameType.data }) {
                received += frame.payload.count
                owed += frame.payload.count
                frames += 1
                if frame.has(WireFrame.endStream) { break }
                guard owed > 0, habit.opensWindows(owed: owed) else { continue }
                let count = UInt32(owed)
                owed = 0
                try await client.send(.windowUpdate(0, count), .windowUpdate(1, count))
            }
            #expect(received == size, "of \(size); \(client.seen.suffix(1))")
            #expect(frames < size / 2048)
        }
    }

    enum WindowHabit: CaseIterable {
        case forEachFrame, atHalf, whenUsedUp

        func opensWindows(owed: Int) -> Bool {
            switch self {
            case .forEachFrame: true
            case .atHalf: owed > HTTP2SendWindow.initial / 2
            case .whenUsedUp: owed == HTTP2SendWindow.initial
            }
        }
    }

    @Test("Streams that wait for the connection's window take turns")
    func turns() async throws {
        try await TestServer.run(decorator: PriorKnowledge()) { _ in
            .now(Response(.ok, body: .bytes(ByteBuffer(repeating: 0x61, count: 100_000))))
        } _: { server in
            let client = try await FrameClient(port: server.port, settings: [(4, 1 << 20)])
            try await client.send(.headers(1, WireFrame.request()), .headers(3, WireFrame.request()), .headers(5, WireFrame.request()))
            var received: [UInt32: Int] = [:]
            while received.values.reduce(0, +) < HTTP2SendWindow.initial {
                let frame = try #require(await client.next { $0.type == WireFrame.FrameType.data })
                received[frame.stream, default: 0] += frame.payload.count
            }
            try await client.send(.windowUpdate(0, 3 << 16))
            while received.values.reduce(0, +) < HTTP2SendWindow.initial + 3 << 16 {
                let frame = try #require(await client.next { $0.type == WireFrame.FrameType.data })
                received[frame.stream, default: 0] += frame.payload.count
            }
            #expect(received.values.allSatisfy { $0 > 70_000 }, "\(received)")
        }
    }

    @Test("A smaller initial window makes windows negative, and a larger one opens them (RFC 9113 §6.9.2)")
    func settings() async throws {
        try await TestServer.run(decorator: PriorKnowledge()) { _ in
            .now(Response(.ok, body: .bytes(ByteBuffer(repeating: 0x61, count: 60_000))))
        } _: { server in
            let client = try await FrameClient(port: server.port, settings: [(4, 20_000)])
            try await client.send(.headers(1, WireFrame.request()))
            var received = 0
            while received < 20_000 {
                received += try #require(await client.next { $0.type == WireFrame.FrameType.data }).payload.count
            }
            try await client.send(.settings([(4, 1)]), .windowUpdate(1, 15_000), .ping())
            #expect(await client.next { $0.type != WireFrame.FrameType.settings }?.type == WireFrame.FrameType.ping)
            try await client.send(.settings([(4, 65_535)]))
            while received < 60_000 {
                received += try #require(await client.next { $0.type == WireFrame.FrameType.data }).payload.count
            }
            #expect(received == 60_000)
        }
    }
}

extension HTTP2SendWindow {
    /// One that began with the usual size.
    fileprivate static func used(to open: Int) -> HTTP2SendWindow {
        var window = HTTP2SendWindow(initial)
        window.use(initial - open)
        return window
    }
}
