import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@testable import GateNet

/// After an upgrade on HTTP/1.1, with and without TLS, and after an extended CONNECT on HTTP/2: the same.
@Suite("Tunnels", .timeLimit(.minutes(1)))
struct TunnelTests {
    private static func echo(_ tunnel: any Tunnel) async {
        do {
            while let part = try await tunnel.next() { try await tunnel.write(part) }
            try await tunnel.finish()
        } catch {}
    }

    /// What a tunnel's user met, in order.
    final class Diary: Sendable {
        private let stream = AsyncStream<String>.makeStream()
        func note(_ entry: String) { stream.continuation.yield(entry) }
        func next() async -> String? { await stream.stream.first { _ in true } }

        func noteReading(_ tunnel: any Tunnel) async {
            do throws(BodyError) {
                while let part = try await tunnel.next() { note(String(buffer: part)) }
                note("ended")
            } catch {
                note("\(error)")
            }
        }
    }

    @Test("Bytes go both ways, from the first behind the request to the last", arguments: Wire.allCases)
    func both(_ wire: Wire) async throws {
        try await TestServer.tunnelling(wire, use: Self.echo) { server in
            let client = try await TunnelClient(wire, server)
            try await client.open(early: "early ")
            #expect(try await client.receiveText(6) == "early ")
            for text in ["and", " late"] {
                try await client.send(text)
                #expect(try await client.receiveText(text.utf8.count) == text)
            }
            try await client.end()
            #expect(try await client.rest() == ("", .orderly))
            let exchange = await server.observer.stream.first { _ in true }
            #expect(exchange?.status.code == (wire == .http2 ? 200 : 101) && exchange?.responseBytes == 14 && exchange?.isAborted == false)
        }
    }

    @Test("The answer has the fields of its version, and no other", arguments: Wire.allCases)
    func head(_ wire: Wire) async throws {
        try await TestServer.tunnelling(wire, use: Self.echo) { server in
            let client = try await TunnelClient(wire, server)
            try await client.ask()
            let head = try await client.head()
            let fields = Set(head.dropFirst().map { String($0.prefix { $0 != ":" }) })
            let own: Set = wire == .http2 ? [] : ["connection", "upgrade", "sec-websocket-accept"]
            #expect(fields == own.union(["x-request-id", "date"]))
            #expect(wire == .http2 || head.contains("connection: upgrade") && head.contains("upgrade: websocket"))
        }
    }

    @Test("The request is the GET that it stands for, and names the protocol", arguments: Wire.allCases)
    func request(_ wire: Wire) async throws {
        try await TestServer.run(decorator: wire.decorator) { request in
            .now(
                .text(
                    .forbidden, "\(request.method) \(request.target.raw) \(request.authority) \(request.version) \(request.upgrade ?? "-")")
            )
        } _: { server in
            let client = try await TunnelClient(wire, server)
            try await client.ask()
            #expect(try await client.head()[0].contains("403"))
            let expected = "GET /chat a \(wire == .http2 ? "http2" : "http11") websocket"
            #expect(try await client.receiveText(expected.utf8.count) == expected)
        }
    }

    @Test("Where the client ends, the server may go on", arguments: Wire.allCases)
    func clientEnds(_ wire: Wire) async throws {
        let diary = Diary()
        let gate = Gate()
        try await TestServer.tunnelling(wire) { tunnel in
            await diary.noteReading(tunnel)
            await gate.wait()
            try? await tunnel.write(ByteBuffer(string: "still here"))
            try? await tunnel.finish()
        } _: { server in
            let client = try await TunnelClient(wire, server)
            try await client.open()
            try await client.send("last")
            try await client.end()
            #expect(await diary.next() == "last")
            #expect(await diary.next() == "ended")
            gate.open()
            #expect(try await client.rest() == ("still here", .orderly))
            #expect(await server.observer.stream.first { _ in true }?.isAborted == false)
        }
    }

    @Test("Where the server ends, the client may go on", arguments: Wire.allCases)
    func serverEnds(_ wire: Wire) async throws {
        let diary = Diary()
        try await TestServer.tunnelling(wire) { tunnel in
            try? await tunnel.write(ByteBuffer(string: "bye"))
            try? await tunnel.finish()
            do throws(BodyError) { try await tunnel.write(ByteBuffer(string: "more")) } catch { diary.note("closed") }
            await diary.noteReading(tunnel)
        } _: { server in
            let client = try await TunnelClient(wire, server)
            try await client.open()
            #expect(try await client.rest() == ("bye", .orderly))
            #expect(await diary.next() == "closed")
            try await client.send("one")
            #expect(await diary.next() == "one")
            try await client.send("two")
            #expect(await diary.next() == "two")
            try await client.end()
            #expect(await diary.next() == "ended")
            #expect(await server.observer.stream.first { _ in true }?.isAborted == false)
        }
    }

    @Test("What was written arrives whole, though both directions have ended before it is read", arguments: Wire.allCases)
    func bothEnded(_ wire: Wire) async throws {
        let size = 4 << 20
        let diary = Diary()
        try await TestServer.tunnelling(wire) { tunnel in
            async let reading: Void = diary.noteReading(tunnel)
            try? await tunnel.write(ByteBuffer(repeating: 0x61, count: size))
            try? await tunnel.finish()
            await reading
        } _: { server in
            let client = try await TunnelClient(wire, server, receives: false)
            try await client.ask()
            try await client.end()
            #expect(await diary.next() == "ended")
            try await client.startReceiving()
            if wire == .http2 { _ = try await client.head() }
            let (text, ending) = try await client.rest()
            #expect(text.utf8.suffix(size).allSatisfy { $0 == 0x61 } && text.utf8.count >= size && ending == .orderly)
        }
    }

    @Test("Whoever returns without an end breaks the tunnel off", arguments: Wire.allCases)
    func serverBreaks(_ wire: Wire) async throws {
        try await TestServer.tunnelling(wire) { tunnel in
            try? await tunnel.write(ByteBuffer(string: "oops"))
        } _: { server in
            let client = try await TunnelClient(wire, server)
            try await client.open()
            // Without TLS a FIN is all there is.
            #expect(try await client.rest() == ("oops", wire == .http1 ? .orderly : .broken))
            #expect(await server.observer.stream.first { _ in true }?.isAborted == true)
        }
    }

    @Test("A client that breaks off ends the reading, and cancels the task", arguments: [Wire.tls, .http2])
    func clientBreaks(_ wire: Wire) async throws {
        let diary = Diary()
        try await TestServer.tunnelling(wire) { tunnel in
            await diary.noteReading(tunnel)
            diary.note("cancelled \(Task.isCancelled)")
        } _: { server in
            let client = try await TunnelClient(wire, server)
            try await client.open()
            try await client.send("x")
            #expect(await diary.next() == "x")
            // Over TLS: closed over unread bytes, so the kernel sends a reset.
            try await client.breakOff()
            #expect(await diary.next() == (wire == .tls ? "ended" : "disconnected"))
            #expect(await diary.next() == "cancelled \(wire != .tls)")
            #expect(await server.observer.stream.first { _ in true }?.isAborted == true)
        }
    }

    @Test("A slow reader slows the writer", arguments: Wire.allCases)
    func outgoingBackPressure(_ wire: Wire) async throws {
        let written = Atomic<Int>(0)
        let parts = 512
        try await TestServer.tunnelling(wire) { tunnel in
            for _ in 0..<parts {
                do { try await tunnel.write(ByteBuffer(repeating: 0x61, count: 1 << 16)) } catch { return }
                written.add(1, ordering: .relaxed)
            }
            try? await tunnel.finish()
        } _: { server in
            let client = try await TunnelClient(wire, server, receives: false)
            try await client.ask()
            for _ in 0..<20 { try await Task.sleep(for: .milliseconds(10)) }
            let writtenNow = written.load(ordering: .relaxed)
            #expect(writtenNow < parts)
            try await client.startReceiving()
            #expect(try await client.rest().text.utf8.count >= parts << 16)
            let writtenThen = written.load(ordering: .relaxed)
            #expect(writtenThen == parts)
        }
    }

    @Test("No more is read than is asked for", arguments: Wire.allCases)
    func incomingBackPressure(_ wire: Wire) async throws {
        let gate = Gate()
        let size = 32 << 20
        let order = Diary()
        try await TestServer.tunnelling(wire) { tunnel in
            await gate.wait()
            var total = 0
            while let part = try? await tunnel.next() { total += part.readableBytes }
            try? await tunnel.write(ByteBuffer(string: "\(total)"))
            try? await tunnel.finish()
        } _: { server in
            let client = try await TunnelClient(wire, server)
            try await client.open()
            async let opening: Void = {
                for _ in 0..<20 { try await Task.sleep(for: .milliseconds(10)) }
                order.note("opened")
                gate.open()
            }()
            try await client.send([UInt8](repeating: 0x61, count: size))
            order.note("sent")
            try await opening
            // The kernel's buffers hold less than this: were the server reading on, all of it would be gone soon.
            #expect(await order.next() == "opened")
            try await client.end()
            #expect(try await client.rest() == ("\(size)", .orderly))
        }
    }

    @Test("Megabytes are echoed", arguments: Wire.allCases)
    func bulk(_ wire: Wire) async throws {
        try await TestServer.tunnelling(wire, use: Self.echo) { server in
            let client = try await TunnelClient(wire, server)
            try await client.open()
            let part = (0..<48 << 10).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            for _ in 0..<64 {
                try await client.send(part)
                #expect(try await client.receive(part.count) == part)
            }
        }
    }

    @Test("A tunnel may idle: the limits of requests are not its own", arguments: Wire.allCases)
    func idle(_ wire: Wire) async throws {
        try await TestServer.tunnelling(
            wire,
            .with {
                $0.limits.headTime = .milliseconds(40)
                $0.limits.keepAliveTime = .milliseconds(40)
                $0.limits.bodyIdleTime = .milliseconds(40)
                $0.limits.writeIdleTime = .milliseconds(40)
            }, use: Self.echo
        ) { server in
            let client = try await TunnelClient(wire, server)
            try await client.open()
            try await Task.sleep(for: .milliseconds(300))
            try await client.send("awake")
            #expect(try await client.receiveText(5) == "awake")
        }
    }

    @Test("CHECKLIST 34: a client that takes nothing of what waits for it is let go", arguments: Wire.allCases)
    func stuck(_ wire: Wire) async throws {
        let diary = Diary()
        try await TestServer.tunnelling(wire, .with { $0.limits.writeIdleTime = .milliseconds(100) }) { tunnel in
            do throws(BodyError) {
                while true { try await tunnel.write(ByteBuffer(repeating: 0x61, count: 1 << 20)) }
            } catch {
                diary.note("\(error)")
            }
        } _: { server in
            let client = try await TunnelClient(wire, server, receives: false)
            try await client.ask()
            #expect(await diary.next() == "timedOut")
            #expect(await server.observer.stream.first { _ in true }?.isAborted == true)
        }
    }

    @Test("A server that stops tells the users of tunnels, who may still say farewell", arguments: Wire.allCases)
    func stop(_ wire: Wire) async throws {
        let began = AsyncStream<Void>.makeStream()
        try await TestServer.tunnelling(wire) { tunnel in
            began.continuation.yield()
            while (try? await tunnel.next()) != nil {}
            #expect(Task.isCancelled)
            try? await tunnel.write(ByteBuffer(string: "farewell"))
            try? await tunnel.finish()
        } _: { server in
            let client = try await TunnelClient(wire, server)
            try await client.open()
            _ = await began.stream.first { _ in true }
            async let stopped: Void = server.server.shutdownGracefully(within: .seconds(20))
            #expect(try await client.rest() == ("farewell", .orderly))
            try await client.end()
            await stopped
            #expect(server.observer.all.map(\.isAborted) == [false])
        }
    }

    @Test("A user that does not hear is cut off", arguments: Wire.allCases)
    func cutOff(_ wire: Wire) async throws {
        let began = AsyncStream<Void>.makeStream()
        let gate = Gate()
        try await TestServer.tunnelling(wire) { _ in
            began.continuation.yield()
            await gate.wait()
        } _: { server in
            let client = try await TunnelClient(wire, server)
            try await client.open()
            _ = await began.stream.first { _ in true }
            await server.server.shutdownGracefully(within: .milliseconds(50))
            #expect(server.observer.all.map(\.isAborted) == [true])
            gate.open()
        }
    }
}
