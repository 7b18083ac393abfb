import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@testable import GateNet

@Suite("Bodies on their way")
struct StreamingTests {
    @Test("A body is echoed as it comes, with a length and in chunks")
    func echo() async throws {
        try await TestServer.run { request in
            .now(
                Response(
                    .ok,
                    body: .stream(length: nil) { writer in
                        guard case .stream(_, let stream) = request.body else { return }
                        while let part = try await stream.next() { try await writer.write(part) }
                    }))
        } _: { server in
            let client = try await server.connect()
            try await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
            _ = try await client.read(until: "\r\n\r\n")
            try await client.send("first")
            #expect(try await client.read(until: "first\r\n") == "5\r\nfirst\r\n")
            try await client.send("again")
            #expect(try await client.read(until: "0\r\n\r\n") == "5\r\nagain\r\n0\r\n\r\n")
            try await client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
            #expect(try await client.read(until: "0\r\n\r\n").hasSuffix("3\r\nabc\r\n0\r\n\r\n"))
        }
    }

    @Test("Bodies can be read and written from any thread")
    func offTheLoop() async throws {
        try await TestServer.run { request in
            .now(
                Response(
                    .ok,
                    body: .stream(length: nil) { writer in
                        try await Task.detached {
                            guard case .stream(_, let stream) = request.body else { return }
                            while let part = try await stream.next() { try await writer.write(part) }
                        }.value
                    }))
        } _: { server in
            let client = try await server.connect()
            let body = String(repeating: "0123456789", count: 100_000)
            try await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n")
            async let sending: Void = client.send(body)
            let answer = try await client.readToEnd()
            try await sending
            #expect(answer.filter { $0 == "9" }.count >= 100_000 && answer.hasSuffix("\r\n0\r\n\r\n"))
        }
    }

    @Test("No more is read than is asked for")
    func uploadBackPressure() async throws {
        let gate = Gate()
        let began = AsyncStream<Void>.makeStream()
        try await TestServer.run { request in
            .later {
                began.continuation.yield()
                await gate.wait()
                var total = 0
                guard case .stream(_, let stream) = request.body else { return .text(.ok, "none") }
                while let part = try? await stream.next() { total += part.readableBytes }
                return .text(.ok, "got \(total)")
            }
        } _: { server in
            let client = try await server.connect()
            let size = 32 << 20
            let sent = Atomic<Bool>(false)
            async let sending: Void = {
                try await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(size)\r\n\r\n")
                try await client.send([UInt8](repeating: 0x61, count: size))
                sent.store(true, ordering: .relaxed)
            }()
            _ = await began.stream.first { _ in true }
            // The kernel's buffers hold less than this body: were the server reading on, all of it would be gone soon.
            for _ in 0..<20 { try await Task.sleep(for: .milliseconds(10)) }
            let sentNow = sent.load(ordering: .relaxed)
            #expect(!sentNow)
            gate.open()
            #expect(try await client.read(until: "got \(size)").hasSuffix("got \(size)"))
            try await sending
        }
    }

    @Test("A slow reader slows its writer")
    func downloadBackPressure() async throws {
        let written = Atomic<Int>(0)
        let parts = 512
        try await TestServer.run { _ in
            .now(
                Response(
                    .ok,
                    body: .stream(length: parts << 16) { writer in
                        for _ in 0..<parts {
                            try await writer.write(ByteBuffer(repeating: 0x61, count: 1 << 16))
                            written.add(1, ordering: .relaxed)
                        }
                    }))
        } _: { server in
            let client = try await RawClient(port: server.port, receives: false)
            try await client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            for _ in 0..<20 { try await Task.sleep(for: .milliseconds(10)) }
            let writtenNow = written.load(ordering: .relaxed)
            #expect(writtenNow < parts)
            try await client.receive()
            let answer = try await client.readToEnd()
            #expect(answer.utf8.count > parts << 16)
            let writtenThen = written.load(ordering: .relaxed)
            #expect(writtenThen == parts)
        }
    }

    @Test("A body that nobody read is dropped, and the next request found behind it")
    func drained() async throws {
        try await TestServer.run { server in
            let client = try await server.connect()
            try await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n")
            #expect(!(try await client.read(until: "hello")).contains("Connection: close"))
            try await client.send(String(repeating: "x", count: 60_000) + "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try await client.read(until: "hello").hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test("Of a large body that nobody read the client still gets the answer")
    func lingering() async throws {
        try await TestServer.run { server in
            let client = try await server.connect()
            try await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n")
            async let sending: Void = client.send(String(repeating: "x", count: 4_000_000))
            let answer = try await client.readToEnd()
            #expect(answer.contains("\r\nConnection: close\r\n") && answer.hasSuffix("hello"))
            try? await sending
        }
    }

    @Test("A body cut short is an error to its reader, never an end")
    func truncated() async throws {
        let errors = AsyncStream<BodyError?>.makeStream()
        try await TestServer.run { request in
            .later {
                do throws(BodyError) {
                    _ = try await request.body.collect(upTo: 1000)
                    errors.continuation.yield(nil)
                } catch {
                    errors.continuation.yield(error)
                }
                return .text(.ok, "late")
            }
        } _: { server in
            for request in ["Content-Length: 10\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"] {
                let client = try await server.connect()
                try await client.send("POST / HTTP/1.1\r\nHost: a\r\n" + request)
                try await client.endInput()
                #expect(await errors.stream.first { _ in true } == .disconnected)
            }
        }
    }

    @Test("A response shorter or longer than it promised breaks off", arguments: [3, 7])
    func wrongLength(_ length: Int) async throws {
        try await TestServer.run { _ in
            .now(Response(.ok, body: .stream(length: 5) { try await $0.write(ByteBuffer(repeating: 0x61, count: length)) }))
        } _: { server in
            let answer = try await server.exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(answer.split(separator: "HTTP/1.1 200").count == 1)
            #expect(!answer.contains("aaaaaa"))
            #expect(await server.observer.stream.first { _ in true }?.isAborted == true)
        }
    }

    @Test("A response that is read slowly outlives the time limits of an idle connection")
    func slowlyRead() async throws {
        let body = ByteBuffer(repeating: 0x61, count: 16 << 20)
        try await TestServer.run(
            .with {
                $0.limits.keepAliveTime = .milliseconds(50)
                $0.limits.drainTime = .milliseconds(50)
            }
        ) { _ in
            .now(Response(.ok, body: .bytes(body)))
        } _: { server in
            for request in ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"] {
                let client = try await RawClient(port: server.port, receives: false)
                try await client.send(request)
                try await Task.sleep(for: .milliseconds(200))
                try await client.receive()
                let answer = try await client.readToEnd()
                #expect(answer.utf8.count > 16 << 20)
            }
        }
    }

    @Test("A large body goes out whole")
    func large() async throws {
        let body = ByteBuffer(repeating: 0x61, count: 5 << 20)
        try await TestServer.run { _ in
            .now(Response(.ok, body: .bytes(body)))
        } _: { server in
            let answer = try await server.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(answer.hasSuffix(String(repeating: "a", count: 5 << 20)))
            #expect(server.observer.all.map(\.responseBytes) == [5 << 20])
        }
    }
}
