import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1
import Testing

@testable import GateNet

@Suite("Limits on what a client sends")
struct LimitTests {
    @Test(
        "CHECKLIST 34: heads beyond their limits get 431",
        arguments: [
            "GET /" + String(repeating: "a", count: 40_000) + " HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "a", count: 17_000) + "\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: y\r\n", count: 100) + "\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: \(String(repeating: "y", count: 1000))\r\n", count: 40) + "\r\n",
        ])
    func headLimits(_ request: String) async throws {
        try await TestServer.run { server in
            let answer = try await server.exchange(request)
            #expect(answer.hasPrefix("HTTP/1.1 431 "), "\(answer)")
            #expect(answer.contains(#""code":"request/headers-too-large""#))
            #expect(answer.contains("\r\nX-Request-Id: "))
        }
    }

    @Test("CHECKLIST 34: heads at their limits are taken")
    func atTheLimit() async throws {
        try await TestServer.run { server in
            let fields = String(repeating: "X: y\r\n", count: 98)
            let answer = try await server.exchange("GET / HTTP/1.1\r\nHost: a\r\n\(fields)Connection: close\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 200 OK"))
        }
    }

    @Test("CHECKLIST 34: a head that does not end gets 408; a silent connection is closed")
    func slowHead() async throws {
        try await TestServer.run(.with { $0.limits.headTime = .milliseconds(250) }) { server in
            var answer = ""
            // On a busy machine the client itself may be too late with its first byte.
            for _ in 0..<10 where answer.isEmpty { answer = try await server.exchange("GET / HTTP/1.1\r\nHost: a\r\nX: ") }
            #expect(answer.hasPrefix("HTTP/1.1 408 "))
            #expect(answer.contains(#""code":"request/timeout""#))
            #expect(try await server.connect().readToEnd() == "")
            #expect(server.observer.all.map(\.status) == [.requestTimeout])
        }
    }

    @Test("CHECKLIST 34: a later head is timed from its first byte, a kept connection by its own limit")
    func keepAliveTime() async throws {
        try await TestServer.run(
            .with {
                $0.limits.keepAliveTime = .milliseconds(100)
            }
        ) { server in
            let client = try await server.connect()
            try await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            let answer = try await client.readToEnd()
            #expect(answer.hasSuffix("hello"))
            #expect(server.observer.all.count == 1)
        }
    }

    @Test("CHECKLIST 34: a body that stops coming gets 408, and its reader an error")
    func slowBody() async throws {
        let errors = AsyncStream<BodyError>.makeStream()
        try await TestServer.run(
            .with {
                $0.limits.bodyIdleTime = .milliseconds(100)
            }
        ) { request in
            .later {
                do throws(BodyError) { _ = try await request.body.collect(upTo: 1000) } catch { errors.continuation.yield(error) }
                return .text(.ok, "late")
            }
        } _: { server in
            let answer = try await server.exchange("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello")
            #expect(answer.hasPrefix("HTTP/1.1 408 "))
            #expect(!answer.contains("late"))
            #expect(await errors.stream.first { _ in true } == .timedOut)
            #expect(server.observer.all.map(\.status) == [.requestTimeout])
        }
    }

    @Test("CHECKLIST 34: a body that trickles is ended too")
    func tricklingBody() async throws {
        try await TestServer.run(
            .with {
                $0.limits.bodyIdleTime = .milliseconds(200)
                $0.limits.bodyRate = 1000
            }
        ) { request in
            .later {
                _ = try? await request.body.collect(upTo: 1 << 20)
                return .text(.ok, "whole")
            }
        } _: { server in
            let client = try await server.connect()
            try await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
            let trickle = Task {
                while !Task.isCancelled {
                    try await client.send("a")
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
            let answer = try await client.readToEnd()
            trickle.cancel()
            #expect(answer.hasPrefix("HTTP/1.1 408 "), "\(answer)")
        }
    }

    @Test(
        "CHECKLIST 34: a reader of many small responses that does not read is cut off, and those that it has not got are told of as broken off"
    )
    func writeIdleOfSmallResponses() async throws {
        let body = String(repeating: "x", count: 8000)
        try await TestServer.run(
            .with {
                $0.limits.writeIdleTime = .milliseconds(300)
                $0.compresses = false
            }
        ) { _ in
            .now(.text(.ok, body))
        } _: { server in
            let client = try await RawClient(port: server.port, receives: false)
            // One by one: what is asked for in one go is answered in one go.
            let asking = Task {
                while !Task.isCancelled {
                    try await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                    try await Task.sleep(for: .microseconds(200))
                }
            }
            let broken = await server.observer.stream.first { $0.isAborted }
            asking.cancel()
            #expect(broken?.responseBytes == body.utf8.count)
            #expect(server.observer.all.contains { !$0.isAborted })
        }
    }

    @Test("A body that came with its head is the responder's alone: it is not held until a slow client has the response")
    func bodyIsNotHeld() async throws {
        try await TestServer.run { request in
            guard case .bytes(let bytes) = request.body else { return .now(.text(.badRequest, "no body")) }
            return .now(.text(.ok, "\(bytes.readableBytes)"))
        } _: { server in
            let client = try await RawClient(port: server.port)
            try await client.send("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody")
            #expect(try await client.readToEnd().hasSuffix("\r\n\r\n4"))
            let told = await server.observer.stream.first { _ in true }
            if case .empty? = told?.request.body {} else { Issue.record("\(String(describing: told?.request.body)) is held") }
        }
    }

    @Test("CHECKLIST 34: a reader that does not read is cut off, and its writer told")
    func writeIdle() async throws {
        let outcomes = AsyncStream<BodyError>.makeStream()
        try await TestServer.run(
            .with {
                $0.limits.writeIdleTime = .milliseconds(100)
            }
        ) { _ in
            .now(
                Response(
                    .ok,
                    body: .stream(length: nil) { writer in
                        do throws(BodyError) {
                            while true { try await writer.write(ByteBuffer(repeating: 0x61, count: 1 << 20)) }
                        } catch {
                            outcomes.continuation.yield(error)
                            throw error
                        }
                    }))
        } _: { server in
            let client = try await RawClient(port: server.port, receives: false)
            try await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await outcomes.stream.first { _ in true } == .timedOut)
            let exchange = await server.observer.stream.first { _ in true }
            #expect(exchange?.isAborted == true)
        }
    }

    @Test("One connection too many gets 503; when one leaves there is room again")
    func connectionLimit() async throws {
        try await TestServer.run(
            .with {
                $0.limits.connections = 2
            }
        ) { server in
            let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
            var held: [RawClient] = []
            for _ in 0..<2 {
                let client = try await server.connect()
                try await client.send(request)
                _ = try await client.read(until: "hello")
                held.append(client)
            }
            let refused = try await server.exchange(request)
            #expect(refused.hasPrefix("HTTP/1.1 503 "))
            #expect(refused.contains(#""code":"unavailable""#))
            await held.removeLast().close()
            var answer = ""
            for _ in 0..<500 where !answer.hasPrefix("HTTP/1.1 200") {
                answer = try await server.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            }
            #expect(answer.hasPrefix("HTTP/1.1 200"))
        }
    }

    @Test("Connections of one address are counted apart")
    func connectionsPerClient() {
        var limits = ServerLimits()
        limits.connectionsPerClient = 1
        let population = ConnectionPopulation(limits: limits)
        #expect(population.enter(IPAddress("192.0.2.1")))
        #expect(!population.enter(IPAddress("192.0.2.1")))
        #expect(population.enter(IPAddress("192.0.2.2")))
        #expect(population.enter(IPAddress("2001:db8::1")))
        #expect(!population.enter(IPAddress("2001:db8::2")), "An IPv6 address counts with its /64.")
        population.leave(IPAddress("192.0.2.1"))
        population.leave(IPAddress("192.0.2.1"))
        #expect(population.enter(IPAddress("192.0.2.1")))
    }

    @Test("CHECKLIST 57: a fresh client is answered at once among hundreds of slow ones")
    func slowClients() async throws {
        try await TestServer.run { server in
            var slow: [RawClient] = []
            for number in 0..<400 {
                let client = try await server.connect()
                if number % 2 == 0 { try await client.send("POST / HTTP/1.1\r\nHost: a\r\nX") }
                slow.append(client)
            }
            for _ in 0..<20 {
                let began = ContinuousClock.now
                let answer = try await server.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                #expect(answer.hasSuffix("hello"))
                #expect(ContinuousClock.now - began < .milliseconds(500))
            }
            #expect(server.server.openConnections >= slow.count)
        }
    }
}
