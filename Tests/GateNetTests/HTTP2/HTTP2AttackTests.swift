import GateCore
import GateHTTP
import NIOCore
import NIOHPACK
import NIOHTTP1
import Testing

@testable import GateNet

@Suite("HTTP/2 against hostile clients")
struct HTTP2AttackTests {
    /// What is sent again and again until the connection ends.
    struct Flood: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let codes: [UInt32]
        var first: [WireFrame] = []
        let frames: @Sendable (UInt32) -> [WireFrame]
    }

    static let floods: [Flood] = [
        Flood(testDescription: "rapid reset (CVE-2023-44487)", codes: [ErrorCode.enhanceYourCalm]) {
            [.headers($0 * 2 + 1, WireFrame.request(), end: false), .resetStream($0 * 2 + 1)]
        },
        Flood(testDescription: "resets by the server (CVE-2025-8671)", codes: [ErrorCode.enhanceYourCalm]) {
            [.headers($0 * 2 + 1, WireFrame.request(), end: false), .windowUpdate($0 * 2 + 1, 0)]
        },
        Flood(
            testDescription: "CONTINUATION (CVE-2024-27316)", codes: [ErrorCode.enhanceYourCalm, ErrorCode.protocolError],
            first: [.headers(1, WireFrame.request(), endsBlock: false)]
        ) { _ in [.continuation(1, [], ends: false)] },
        Flood(testDescription: "SETTINGS (CVE-2019-9515)", codes: [ErrorCode.enhanceYourCalm]) { _ in [.settings([(4, 65_535)])] },
        Flood(testDescription: "PING (CVE-2019-9512)", codes: [ErrorCode.enhanceYourCalm]) { _ in [.ping()] },
        Flood(testDescription: "PRIORITY (CVE-2019-9513)", codes: [ErrorCode.enhanceYourCalm]) { _ in [.priority(3)] },
        Flood(
            testDescription: "empty DATA (CVE-2019-9518)", codes: [ErrorCode.enhanceYourCalm],
            first: [.headers(1, WireFrame.request("POST"), end: false)]
        ) { _ in [.data(1, "")] },
        Flood(
            testDescription: "WINDOW_UPDATE", codes: [ErrorCode.enhanceYourCalm],
            first: [.headers(1, WireFrame.request("POST"), end: false)]
        ) { _ in [.windowUpdate(1, 1)] },
        Flood(testDescription: "malformed requests", codes: [ErrorCode.enhanceYourCalm]) {
            [.headers($0 * 2 + 1, WireFrame.request() + [("connection", "close")])]
        },
        Flood(testDescription: "malformed trailers", codes: [ErrorCode.enhanceYourCalm]) {
            [.headers($0 * 2 + 1, WireFrame.request("POST"), end: false), .headers($0 * 2 + 1, [("connection", "close")])]
        },
        Flood(testDescription: "frames of an unknown type", codes: [ErrorCode.enhanceYourCalm]) { _ in [WireFrame(type: 0x42)] },
    ]

    @Test("CHECKLIST 34: floods end their connection, and no other", arguments: floods)
    func flood(_ flood: Flood) async throws {
        try await TestServer.run(decorator: PriorKnowledge()) { _ in
            .later { .text(.ok, "late") }
        } _: { server in
            let honest = try await FrameClient(port: server.port)
            let client = try await FrameClient(port: server.port)
            try await client.send(flood.first)
            // The server may have closed before all of it is sent.
            try? await client.send((0..<4000).flatMap { flood.frames($0) })
            let ending = await client.ending()
            #expect(ending.isClosed && ending.codes.contains(where: flood.codes.contains), "\(ending)")
            try await honest.send(.headers(1, WireFrame.request()))
            #expect(try await honest.answer(on: 1)?.text == "late")
        }
    }

    @Test("CHECKLIST 34: a field of 4 kB named four thousand times gets 431 or ends the connection (CVE-2016-6581)")
    func headerBomb() async throws {
        try await TestServer.run(decorator: PriorKnowledge()) { server in
            let client = try await FrameClient(port: server.port)
            let name = WireFrame.block([("x-bomb", String(repeating: "b", count: 3900))])
            try await client.send(.headers(1, WireFrame.block(WireFrame.request()) + [0x40] + name.dropFirst()))
            #expect(try await client.answer(on: 1)?.status == "200")
            try await client.send(.headers(3, WireFrame.block(WireFrame.request()) + [UInt8](repeating: 0x80 | 62, count: 4000)))
            let answer = try await client.answer(on: 3)
            let said = client.seen.last { $0.type == WireFrame.FrameType.goAway }?.number(at: 4)
            #expect(answer?.status == "431" || answer?.reset != nil || (said ?? 0) != 0)
            #expect(server.observer.all.count { $0.status == .ok } == 1)
        }
    }

    @Test(
        "CHECKLIST 34: heads beyond their limits get 431",
        arguments: [
            [("x", String(repeating: "y", count: 16_370))],
            (0..<101).map { ("x-\($0)", "y") },
        ])
    func headLimits(_ fields: [(String, String)]) async throws {
        try await TestServer.run(decorator: PriorKnowledge()) { server in
            let client = try await FrameClient(port: server.port)
            let block = WireFrame.block(WireFrame.request() + fields)
            try await client.send(
                .headers(1, Array(block.prefix(16_000)), endsBlock: false), .continuation(1, Array(block.dropFirst(16_000))))
            let answer = try await client.answer(on: 1)
            #expect(answer?.status == "431" || fields.count == 1 && answer?.status == "200")
            #expect(answer?.status == "431" || fields[0].1.utf8.count + 5 <= ServerLimits().fieldSize)
        }
    }

    @Test(
        "CHECKLIST 33: what HTTP/1.1 behind us could take amiss is never run",
        arguments: [
            ("x-a", "b\r\nhost: evil"), ("x-a", "b\nc"), ("x-a", "b\rc"), ("x-a", "b\0c"), ("X-A", "b"), ("x a", "b"), ("", "b"),
            ("x-a\r\n", "b"), ("x-a", " b"), ("x-a", "b "), ("transfer-encoding", "chunked"), ("connection", "close"), ("upgrade", "x"),
            ("host", "other"), ("content-length", "5"), ("content-length", "+0"), (":path", "/b"),
        ])
    func smuggled(_ field: (String, String)) async throws {
        try await TestServer.run(decorator: PriorKnowledge()) { server in
            let client = try await FrameClient(port: server.port)
            try await client.send(.headers(1, WireFrame.request() + [field]))
            let answer = try await client.answer(on: 1)
            // A name without a letter is no field section at all for HPACK's decoder.
            let isEnded = client.seen.contains { $0.type == WireFrame.FrameType.goAway && $0.number(at: 4) == ErrorCode.compression }
            #expect(answer?.status == "400" || answer?.reset == ErrorCode.protocolError || isEnded, "\(client.seen)")
            #expect(server.observer.all.allSatisfy { $0.status != .ok })
        }
    }

    @Test("CHECKLIST 34: a window that is never opened ends its stream after the write limit, and not the connection")
    func closedWindow() async throws {
        try await TestServer.run(.with { $0.limits.writeIdleTime = .milliseconds(100) }, decorator: PriorKnowledge()) { server in
            let client = try await FrameClient(port: server.port, settings: [(4, 0)])
            try await client.send(.headers(1, WireFrame.request()))
            #expect(try await client.answer(on: 1)?.reset == ErrorCode.cancel)
            try await client.send(.ping())
            #expect(await client.next { $0.type == WireFrame.FrameType.ping } != nil)
            #expect(server.observer.all.map(\.isAborted) == [true])
        }
    }

    @Test("CHECKLIST 34: a body that does not come gets 408, and its reader an error")
    func slowBody() async throws {
        let errors = AsyncStream<BodyError>.makeStream()
        try await TestServer.run(.with { $0.limits.bodyIdleTime = .milliseconds(100) }, decorator: PriorKnowledge()) { request in
            .later {
                do throws(BodyError) { _ = try await request.body.collect(upTo: 1000) } catch { errors.continuation.yield(error) }
                return .text(.ok, "late")
            }
        } _: { server in
            let client = try await FrameClient(port: server.port)
            try await client.send(.headers(1, WireFrame.request("POST"), end: false), .data(1, "hello"))
            #expect(try await client.answer(on: 1)?.status == "408")
            #expect(await errors.stream.first { _ in true } == .timedOut)
        }
    }
}
