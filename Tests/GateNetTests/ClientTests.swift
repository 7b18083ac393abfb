import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1
import Testing

@testable import GateNet

@Suite("The outgoing client", .timeLimit(.minutes(1)))
struct ClientTests {
    /// Says back what it was asked.
    private static func echo(_ request: Request) -> Answer {
        switch request.target.path {
        case "/none": return .now(Response(.noContent))
        case "/large": return .now(.text(.ok, String(repeating: "x", count: 300_000)))
        case "/chunks":
            return .now(
                Response(
                    .ok,
                    body: .stream(length: nil) { writer in
                        for number in 0..<100 { try await writer.write(ByteBuffer(string: "part \(number),")) }
                    }))
        default:
            return .later {
                let body = (try? await request.body.collect(upTo: 1 << 20)) ?? ByteBuffer()
                return .text(.ok, "\(request.method) \(request.target.raw) \(request.authority) \(String(buffer: body))")
            }
        }
    }

    @Test("Methods, bodies and framings, over one connection")
    func exchanges() async throws {
        try await TestServer.run(answer: Self.echo) { server in
            try await HTTPClient.run { client in
                let authority = "127.0.0.1:\(server.port)"
                #expect(try await client.get(server.port, "/a?b=c").text == "GET /a?b=c \(authority) ")
                #expect(try await client.send(.to(server.port, method: .POST, body: "x")).text == "POST / \(authority) x")
                #expect(try await client.send(.to(server.port, method: .POST)).text == "POST / \(authority) ")
                let long = String(repeating: "y", count: 200_000)
                #expect(try await client.send(.to(server.port, method: .PUT, body: long)).text == "PUT / \(authority) \(long)")
                let head = try await client.send(.to(server.port, "/large", method: .HEAD))
                #expect(head.status == .ok && head.text.isEmpty && head.headers["content-length"] == ["300000"])
                #expect(try await client.get(server.port, "/none").status == .noContent)
                #expect(try await client.get(server.port, "/large").body.readableBytes == 300_000)
                let chunks = try await client.get(server.port, "/chunks")
                #expect(chunks.text == (0..<100).map { "part \($0)," }.joined())
                #expect(await client.connectionCount() == 1, "One connection served them all.")
                #expect(server.server.openConnections == 1)
            }
        }
    }

    @Test("Redirects come back as responses")
    func redirect() async throws {
        try await ScriptedServer.run([
            .await("\r\n\r\n"), .send("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"), .awaitEnd,
        ]) { server in
            let response = try await HTTPClient.run { try await $0.get(server.port) }
            #expect(response.status == .found && response.headers["location"] == ["http://127.0.0.1:1/"])
        }
    }

    @Test("What goes over the wire, to the byte")
    func wire() async throws {
        let answer = "HTTP/1.1 204 No Content\r\n\r\n"
        try await ScriptedServer.run([.await("\r\n\r\n"), .send(answer), .await("abc"), .send(answer), .awaitEnd]) { server in
            try await HTTPClient.run { client in
                var request = OutgoingRequest.to(server.port, "/p")
                request.headers = [
                    "Accept": "*/*", "Host": "other", "Connection": "close", "Transfer-Encoding": "chunked", "Content-Length": "9",
                ]
                _ = try await client.send(request)
                _ = try await client.send(.to(server.port, method: .POST, body: "abc"))
            }
            let authority = "127.0.0.1:\(server.port)"
            #expect(
                server.received == [
                    "GET /p HTTP/1.1\r\nHost: \(authority)\r\nAccept: */*\r\n\r\n"
                        + "POST / HTTP/1.1\r\nHost: \(authority)\r\nContent-Length: 3\r\n\r\nabc"
                ])
        }
    }

    @Test("What would not be read as one request is not sent, and costs no connection")
    func badRequest() async throws {
        try await TestServer.run { server in
            try await HTTPClient.run { client in
                for (name, value) in [("x", "a\r\nEvil: 1"), ("x", "a\nb"), ("x", "a\u{0}"), ("x y", "a"), ("", "a"), ("x:", "a")] {
                    var request = OutgoingRequest.to(server.port)
                    request.headers.add(name: name, value: value)
                    #expect(await client.failure(request)?.reason == .badRequest, "\(name): \(value)")
                }
                #expect(await client.failure(.to(server.port, method: .RAW(value: "G ET")))?.reason == .badRequest)
                _ = try await client.get(server.port)
                #expect(await client.connectionCount() == 1)
            }
            #expect(server.observer.all.count == 1)
        }
    }

    @Test("Many at once share what connections there may be, and every one is answered")
    func bounded() async throws {
        try await TestServer.run(answer: { request in .later { .text(.ok, request.target.raw) } }) { server in
            try await HTTPClient.run(limits: { $0.connectionsPerHost = 3 }) { client in
                let answers = try await withThrowingTaskGroup(of: Bool.self) { group in
                    for number in 0..<200 {
                        group.addTask { try await client.get(server.port, "/\(number)").text == "/\(number)" }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(answers.count == 200 && answers.allSatisfy(\.self))
                #expect(await client.connectionCount() == 3)
            }
        }
    }

    @Test("Beyond the queue's bound a request is refused at once")
    func overloaded() async throws {
        try await ScriptedServer.run([.awaitEnd]) { server in
            try await HTTPClient.run(limits: { ($0.connectionsPerHost, $0.waiting) = (1, 1) }) { client in
                await withTaskGroup(of: OutgoingError.Reason?.self) { group in
                    for _ in 0..<3 { group.addTask { await client.failure(.to(server.port))?.reason } }
                    #expect(await group.next() == .overloaded)
                    group.cancelAll()
                    #expect(await group.next() == .cancelled)
                    #expect(await group.next() == .cancelled)
                }
                #expect(await client.connectionCount() == 0)
            }
        }
    }

    @Test(
        "A response that is none, or too large, is told as such, and the connection is not used again",
        arguments: [
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", "both Transfer-Encoding and Content-Length"),
            ("220 mail.example ESMTP\r\n", "does not begin with HTTP/1."),
            ("HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n", "more than 100 bytes"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n\(String(repeating: "x", count: 101))", "more than 100 bytes"),
            ("HTTP/1.1 200 OK\r\n\r\n\(String(repeating: "x", count: 101))", "more than 100 bytes"),
        ])
    func badResponse(_ answer: String, _ words: String) async throws {
        try await ScriptedServer.run([.await("\r\n\r\n"), .send(answer), .awaitEnd]) { server in
            try await HTTPClient.run { client in
                let error = await client.failure(.to(server.port, limit: 100))
                #expect(error?.reason == .badResponse)
                #expect(error?.description.contains("127.0.0.1:\(server.port) ") == true && error?.description.contains(words) == true)
                #expect(await client.connectionCount() == 0)
            }
        }
    }

    @Test("A body of exactly the limit is taken")
    func exactLimit() async throws {
        try await ScriptedServer.run([
            .await("\r\n\r\n"),
            .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n32\r\n\(String(repeating: "x", count: 50))\r\n"),
            .send("32\r\n\(String(repeating: "y", count: 50))\r\n0\r\n\r\n"), .awaitEnd,
        ]) { server in
            let response = try await HTTPClient.run { try await $0.send(.to(server.port, limit: 100)) }
            #expect(response.body.readableBytes == 100)
        }
    }

    @Test(
        "A connection that ends before the response does is no response",
        arguments: [
            ([.close], "without a response"), ([.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"), .close], "in the middle"),
            ([.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"), .close], "in the middle"),
        ] as [([ScriptedServer.Step], String)])
    func truncated(_ steps: [ScriptedServer.Step], _ words: String) async throws {
        try await ScriptedServer.run([.await("\r\n\r\n")] + steps) { server in
            let error = try await HTTPClient.run { await $0.failure(.to(server.port)) }
            #expect(error?.reason == .disconnected && error?.description.contains(words) == true, "\(String(describing: error))")
        }
    }

    @Test("A reset is no proper end: a body without a length is not taken as whole")
    func reset() async throws {
        try await ScriptedServer.run([.await("\r\n\r\n"), .send("HTTP/1.1 200 OK\r\n\r\nhalf of"), .await("more\r\n"), .reset]) { server in
            try await HTTPClient.run { client in
                let parts = GivenParts()
                let url = HTTPURL("http://127.0.0.1:\(server.port)/")!
                let response = try await client.endpoint(EndpointSettings(url)).stream(
                    StreamedRequest(.POST, "/", body: .stream(length: nil, parts)))
                parts.give("more")
                var body = ""
                await #expect(throws: BodyError.disconnected) {
                    while let part = try await response.next() { body += String(buffer: part) }
                }
                #expect(body == "half of" || body == "")
            }
        }
    }

    @Test("Nobody listens, no such name, no such socket: each in an operator's words")
    func unreachable() async throws {
        // A port that was free a moment ago.
        let port = try await ScriptedServer.freePort()
        try await HTTPClient.run(names: ["both.example": [["127.0.0.1", "::1"]]]) { client in
            let refused = await client.failure(.to(port))
            #expect(refused == OutgoingError(.refused, "cannot connect to 127.0.0.1:\(port): connection refused (127.0.0.1)"))
            let both = await client.failure(.to(port, host: "both.example"))
            #expect(both?.reason == .refused)
            #expect(both?.description.hasPrefix("cannot connect to both.example:\(port): connection refused (127.0.0.1); ") == true)
            #expect(both?.description.hasSuffix(" (::1)") == true)
            let unknown = await client.failure(.to(port, host: "nowhere.example"))
            #expect(unknown == OutgoingError(.nameNotFound, "cannot look up nowhere.example: Name or service not known"))
            let missing = await client.over(socket: "/nonexistent/a.sock").failure(.to(port))
            #expect(missing == OutgoingError(.refused, "cannot connect to /nonexistent/a.sock: it does not exist"))
        }
    }

    @Test("https without TLS fails before anything is sent")
    func withoutTLS() async throws {
        try await ScriptedServer.run([.awaitEnd]) { server in
            try await HTTPClient.run { client in
                let error = await client.failure(OutgoingRequest(.GET, HTTPURL("https://127.0.0.1:\(server.port)/")!))
                #expect(error?.reason == .tls)
            }
            #expect(server.received.joined().isEmpty)
        }
    }

    @Test("A client that has been shut down sends nothing")
    func shutDown() async throws {
        try await TestServer.run { server in
            let client = try await HTTPClient.run { client in
                _ = try await client.get(server.port)
                return client
            }
            #expect(await client.connectionCount() == 0)
            #expect(await client.failure(.to(server.port))?.reason == .cancelled)
        }
    }
}
