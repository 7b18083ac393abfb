import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@testable import GateNet

@Suite("Connections")
struct ConnectionTests {
    @Test("Pipelined requests are answered in order, whether now or later")
    func pipelining() async throws {
        try await TestServer.run { request in
            let path = String(request.target.path)
            if path.hasSuffix("now") { return .now(.text(.ok, "<\(path)>")) }
            return .later {
                await Task.yield()
                return .text(.ok, "<\(path)>")
            }
        } _: { server in
            let paths = (0..<50).map { "/\($0)-\($0 % 3 == 0 ? "now" : "later")" }
            let requests = paths.map { "GET \($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined()
            let answer = try await server.exchange(requests + "GET /end-now HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            let bodies = answer.split(separator: "<").dropFirst().map { String($0.prefix { $0 != ">" }) }
            #expect(bodies == paths + ["/end-now"])
            #expect(server.observer.all.map { String($0.request.target.path) } == paths + ["/end-now"])
            #expect(Set(server.observer.all.map(\.request.id)).count == paths.count + 1)
        }
    }

    @Test("Only one request of a connection is worked on at a time")
    func oneAtATime() async throws {
        let running = Atomic<Int>(0)
        try await TestServer.run { _ in
            .later {
                let now = running.add(1, ordering: .relaxed).newValue
                #expect(now == 1)
                for _ in 0..<5 { await Task.yield() }
                running.subtract(1, ordering: .relaxed)
                return .text(.ok, "done")
            }
        } _: { server in
            let client = try await server.connect()
            try await client.send(String(repeating: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", count: 20))
            _ = try await client.read(until: "done", times: 20)
        }
    }

    @Test("HEAD has the length of GET and no body; 204 and 304 have neither")
    func bodiless() async throws {
        try await TestServer.run { request in
            switch request.target.path {
            case "/204": .now(Response(.noContent, body: .bytes(ByteBuffer(string: "never"))))
            case "/304": .now(Response(.notModified, body: .bytes(ByteBuffer(string: "never"))))
            case "/stream": .now(Response(.ok, body: .stream(length: 7) { _ in Issue.record("HEAD has no body to write.") }))
            default: .now(.text(.ok, "hello"))
            }
        } _: { server in
            let client = try await server.connect()
            try await client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
            let head = try await client.read(until: "\r\n\r\n")
            #expect(head.contains("\r\nContent-Length: 5\r\n") && head.hasSuffix("\r\n\r\n"))
            try await client.send("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n")
            let stream = try await client.read(until: "\r\n\r\n")
            #expect(stream.contains("\r\nContent-Length: 7\r\n") && stream.hasSuffix("\r\n\r\n"))
            for path in ["/204", "/304"] {
                try await client.send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
                let answer = try await client.read(until: "\r\n\r\n")
                #expect(!answer.contains("Content-Length") && !answer.contains("Transfer-Encoding") && answer.hasSuffix("\r\n\r\n"))
            }
        }
    }

    @Test("HTTP/1.0 is kept alive where asked, and gets no chunks")
    func http10() async throws {
        try await TestServer.run { request in
            guard request.target.path == "/stream" else { return .now(.text(.ok, "hello")) }
            return .now(Response(.ok, body: .stream(length: nil) { try await $0.write(ByteBuffer(string: "streamed")) }))
        } _: { server in
            let client = try await server.connect()
            try await client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            #expect(try await client.read(until: "hello").contains("\r\nConnection: keep-alive\r\n"))
            try await client.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            let streamed = try await client.readToEnd()
            #expect(streamed.contains("\r\nConnection: close\r\n") && streamed.hasSuffix("\r\n\r\nstreamed"))
            #expect(!streamed.contains("chunked"))
        }
    }

    @Test("100 Continue comes when the body is first read, and not for one that nobody reads")
    func expectContinue() async throws {
        try await TestServer.run { request in
            guard request.target.path == "/read" else { return .now(.text(.ok, "unread")) }
            return .later {
                let body = try? await request.body.collect(upTo: 100)
                return .text(.ok, "read " + String(buffer: body ?? ByteBuffer()))
            }
        } _: { server in
            let client = try await server.connect()
            try await client.send("POST /read HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
            #expect(try await client.read(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
            try await client.send("hello")
            #expect(try await client.read(until: "hello").hasPrefix("HTTP/1.1 200 "))
            try await client.send("POST /no HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
            let refused = try await client.readToEnd()
            #expect(refused.hasPrefix("HTTP/1.1 200 ") && refused.contains("\r\nConnection: close\r\n"))
        }
    }

    @Test("What the connection says of a request: peer, client, authority")
    func request() async throws {
        try await TestServer.run(
            .with {
                $0.trustedProxies = [IPNetwork("127.0.0.0/8")!]
            }
        ) { request in
            .now(.text(.ok, "\(request.peer!) \(request.client!) \(request.scheme.rawValue) \(request.authority)"))
        } _: { server in
            let answer = try await server.exchange(
                "GET / HTTP/1.1\r\nHost: A:80\r\nX-Forwarded-For: 203.0.113.9, 192.0.2.7\r\nX-Forwarded-Proto: https\r\n"
                    + "Connection: close\r\n\r\n")
            #expect(answer.hasSuffix("127.0.0.1 192.0.2.7 https a:80"))
            #expect(server.observer.all.first?.request.client == IPAddress("192.0.2.7"))
        }
    }

    @Test(
        "The id of a request is that of the instance that passed it on, and nobody else's",
        arguments: [
            ("127.0.0.0/8", "1.1 gatehouse-01234567", "0123456789abcdef", true),
            ("127.0.0.0/8", "1.1 fred, 2 gatehouse-01234567", "0123456789abcdef", true),
            ("127.0.0.0/8", "1.1 gatehouse-01234567, 1.1 fred", "0123456789abcdef", false),
            ("127.0.0.0/8", "1.1 gatehouse", "0123456789abcdef", false),
            ("127.0.0.0/8", "1.1 gatehouse-01234567", "0123456789ABCDEF", false),
            ("127.0.0.0/8", "1.1 gatehouse-01234567", "+123456789abcdef", false),
            ("127.0.0.0/8", "1.1 gatehouse-01234567", "123456789abcdef", false),
            ("192.0.2.0/24", "1.1 gatehouse-01234567", "0123456789abcdef", false),
        ])
    func passedID(trusted: String, via: String, id: String, isTaken: Bool) async throws {
        try await TestServer.run(.with { $0.trustedProxies = [IPNetwork(trusted)!] }) { request in
            .now(.text(.ok, request.id.description))
        } _: { server in
            let answer = try await server.exchange(
                "GET / HTTP/1.1\r\nHost: a\r\nVia: \(via)\r\nX-Request-Id: \(id)\r\nConnection: close\r\n\r\n")
            #expect(answer.hasSuffix(id) == isTaken && answer.hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test("OPTIONS * is about the server")
    func asterisk() async throws {
        try await TestServer.run { server in
            let answer = try await server.exchange("OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 204 "))
        }
    }

    @Test("After so many requests the connection closes")
    func requestsPerConnection() async throws {
        try await TestServer.run(
            .with {
                $0.limits.requestsPerConnection = 2
            }
        ) { server in
            let answer = try await server.exchange(String(repeating: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", count: 3))
            #expect(answer.split(separator: "HTTP/1.1 200").count == 2)
            #expect(answer.contains("Connection: close"))
        }
    }

    @Test("The observer hears of each exchange once, with what was sent")
    func observer() async throws {
        try await TestServer.run { server in
            let client = try await server.connect()
            for _ in 0..<3 {
                try await client.send("GET /a?b HTTP/1.1\r\nHost: a\r\nUser-Agent: test\r\n\r\n")
                _ = try await client.read(until: "hello")
            }
            // The client may have its answer before the server has heard that it is written.
            var heard = server.observer.stream.makeAsyncIterator()
            for _ in 0..<3 { _ = await heard.next() }
            #expect(server.observer.all.count == 3)
            #expect(
                server.observer.all.allSatisfy {
                    $0.responseBytes == 5 && $0.request.headers["user-agent"] == ["test"] && !$0.isAborted && $0.status == .ok
                })
            #expect(server.observer.all.first?.request.target.raw == "/a?b")
        }
    }

    @Test("A client that goes away cancels the task that answers it")
    func disconnection() async throws {
        let began = AsyncStream<Void>.makeStream()
        let cancelled = AsyncStream<Void>.makeStream()
        try await TestServer.run { _ in
            .later {
                began.continuation.yield()
                do { try await Task.sleep(for: .seconds(60)) } catch { cancelled.continuation.yield() }
                return .text(.ok, "late")
            }
        } _: { server in
            let client = try await server.connect()
            try await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = await began.stream.first { _ in true }
            await client.close()
            _ = await cancelled.stream.first { _ in true }
            #expect(await server.observer.stream.first { _ in true } != nil)
            #expect(server.observer.all.count == 1)
        }
    }

    @Test("A client that has closed its side still gets its answer")
    func halfClosed() async throws {
        try await TestServer.run { server in
            let client = try await server.connect()
            try await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            try await client.endInput()
            #expect(try await client.readToEnd().hasSuffix("hello"))
        }
    }
}
