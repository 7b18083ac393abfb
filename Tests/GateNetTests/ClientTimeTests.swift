import GateCore
import GateHTTP
import GateTesting
import NIOCore
import NIOHTTP1
import Testing

@testable import GateNet

@Suite("The outgoing client: time limits, cancellation, kept connections", .timeLimit(.minutes(1)))
struct ClientTimeTests {
    private static let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    @Test(
        "The time limit holds in every stage, and says which it was",
        arguments: [
            ([.awaitEnd], "no response came within 100ms"),
            ([.await("\r\n\r\n"), .send("HTTP/1.1 200 OK\r\nContent-"), .awaitEnd], "no response came within 100ms"),
            (
                [.await("\r\n\r\n"), .send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"), .awaitEnd],
                "the response did not end within 100ms"
            ),
        ] as [([ScriptedServer.Step], String)])
    func timeLimit(_ steps: [ScriptedServer.Step], _ words: String) async throws {
        try await ScriptedServer.run(steps) { server in
            try await HTTPClient.run { client in
                let error = await client.failure(.to(server.port, within: .milliseconds(100)))
                #expect(error?.reason == .timedOut && error?.description == "127.0.0.1:\(server.port): \(words)")
                #expect(await client.connectionCount() == 0)
            }
            #expect(await server.ended.first { _ in true } == 0, "The connection was closed.")
        }
    }

    @Test("The time limit holds while waiting for a connection")
    func timeLimitInQueue() async throws {
        try await ScriptedServer.run([.awaitEnd]) { server in
            try await HTTPClient.run(limits: { $0.connectionsPerHost = 1 }) { client in
                async let first = client.failure(.to(server.port))
                _ = try await server.accepted()
                let error = await client.failure(.to(server.port, within: .milliseconds(100)))
                #expect(
                    error?.reason == .timedOut
                        && error?.description == "127.0.0.1:\(server.port): no connection was free within 100ms")
                await client.shutDown()
                #expect(await first?.reason == .cancelled)
            }
        }
    }

    @Test("The limit is one of the monotonic clock given, not of the machine's")
    func clock() async throws {
        let time = ManualTime()
        try await ScriptedServer.run([.awaitEnd]) { server in
            try await HTTPClient.run(time: time) { client in
                async let failure = client.failure(.to(server.port, within: .seconds(3600)))
                _ = try await server.accepted()
                time.jumpWallClock(by: .seconds(86_400))
                time.advance(by: .seconds(3601))
                #expect(await failure?.reason == .timedOut)
            }
        }
    }

    @Test("Cancelling the task gives the request up and closes its connection", arguments: [false, true])
    func cancellation(_ hasHead: Bool) async throws {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
        try await ScriptedServer.run(hasHead ? [.await("\r\n\r\n"), .send(head), .awaitEnd] : [.awaitEnd]) { server in
            try await HTTPClient.run { client in
                let task = Task { await client.failure(.to(server.port)) }
                _ = try await server.accepted()
                task.cancel()
                #expect(await task.value?.reason == .cancelled)
                #expect(await server.ended.first { _ in true } == 0)
                #expect(await client.connectionCount() == 0)
            }
        }
    }

    @Test("A task that is cancelled already sends nothing that matters")
    func cancelledBefore() async throws {
        try await ScriptedServer.run([.awaitEnd]) { server in
            try await HTTPClient.run { client in
                let task = Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    return await client.failure(.to(server.port))
                }
                #expect(await task.value?.reason == .cancelled)
                #expect(await client.connectionCount() == 0)
            }
        }
    }

    @Test("A kept connection that the server has closed is noticed, and a new one is made")
    func noticedClose() async throws {
        try await ScriptedServer.run([.await("\r\n\r\n"), .send(Self.answer), .close]) { server in
            try await HTTPClient.run { client in
                for _ in 0..<20 {
                    // POST: nothing here is tried twice.
                    let response = try? await client.send(.to(server.port, method: .POST))
                    if response == nil { continue }
                    #expect(response?.text == "ok")
                    _ = await server.ended.first { _ in true }
                }
            }
        }
    }

    @Test("A kept connection that turns out to be closed: what changes nothing is sent again, once; the rest is not")
    func stale() async throws {
        // The server takes the second request and closes: to the client that looks as if the connection had been stale.
        let stale: [ScriptedServer.Step] = [.await("\r\n\r\n"), .send(Self.answer), .await("\r\n\r\n"), .close]
        let fine: [ScriptedServer.Step] = [.await("\r\n\r\n"), .send(Self.answer), .awaitEnd]
        for (method, isTriedAgain) in [(HTTPMethod.GET, true), (.HEAD, true), (.POST, false), (.PUT, false), (.DELETE, false)] {
            try await ScriptedServer.run(stale, fine) { server in
                try await HTTPClient.run { client in
                    _ = try await client.get(server.port)
                    let error = await client.failure(.to(server.port, method: method))
                    #expect(error?.reason == (isTriedAgain ? nil : .disconnected), "\(method)")
                }
                #expect(server.received.count == (isTriedAgain ? 2 : 1), "\(method)")
            }
        }
    }

    @Test("Connections that a server gives up at the very moment of the next request cost no GET its answer")
    func keepAliveRace() async throws {
        let configuration = HTTPServerConfiguration.with {
            $0.limits.keepAliveTime = .milliseconds(20)
            $0.limits.requestsPerConnection = 7
        }
        try await TestServer.run(configuration) { server in
            try await HTTPClient.run { client in
                let failures = await withTaskGroup(of: [OutgoingError].self) { group in
                    for task in 0..<8 {
                        group.addTask {
                            var failures: [OutgoingError] = []
                            for round in 0..<25 {
                                if let error = await client.failure(.to(server.port)) { failures.append(error) }
                                // About as long as the server waits: that is what is provoked here.
                                try? await Task.sleep(for: .milliseconds(16 + (task + round) % 10))
                            }
                            return failures
                        }
                    }
                    return await group.reduce([], +)
                }
                #expect(failures == [])
            }
        }
    }

    @Test("A fresh connection that closes is not tried again, nor is a second one")
    func onlyOnce() async throws {
        let stale: [ScriptedServer.Step] = [.await("\r\n\r\n"), .send(Self.answer), .await("\r\n\r\n"), .close]
        try await ScriptedServer.run([.await("\r\n\r\n"), .close]) { server in
            let error = try await HTTPClient.run { await $0.failure(.to(server.port)) }
            #expect(error?.reason == .disconnected && server.received.count == 1)
        }
        try await ScriptedServer.run(stale, [.await("\r\n\r\n"), .close]) { server in
            try await HTTPClient.run { client in
                _ = try await client.get(server.port)
                #expect(await client.failure(.to(server.port))?.reason == .disconnected)
            }
            #expect(server.received.count == 2)
        }
    }

    @Test("A response that had begun is not asked for again")
    func begunResponse() async throws {
        try await ScriptedServer.run([.await("\r\n\r\n"), .send(Self.answer), .await("\r\n\r\n"), .send("HTTP/1.1 2"), .close]) { server in
            try await HTTPClient.run { client in
                _ = try await client.get(server.port)
                #expect(await client.failure(.to(server.port))?.reason == .disconnected)
            }
            #expect(server.received.count == 1)
        }
    }

    @Test("Bytes that nobody asked for are no answer to the next request")
    func unasked() async throws {
        try await ScriptedServer.run(
            [.await("\r\n\r\n"), .send(Self.answer + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"), .awaitEnd],
            [.await("\r\n\r\n"), .send(Self.answer), .awaitEnd]
        ) { server in
            try await HTTPClient.run { client in
                let first = try await client.get(server.port).text
                #expect(first == "ok")
                let second = try await client.get(server.port).text
                #expect(second == "ok")
            }
            #expect(server.received.count == 2)
        }
    }

    @Test("Idle connections are closed when their time is over, earlier where the server says so")
    func idleTime() async throws {
        let time = ManualTime()
        let short = "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nContent-Length: 0\r\n\r\n"
        try await ScriptedServer.run([.await("\r\n\r\n"), .send(short), .await("\r\n\r\n"), .send(short), .awaitEnd]) { server in
            try await HTTPClient.run(time: time, limits: { $0.idleTime = .seconds(20) }) { client in
                _ = try await client.get(server.port)
                time.advance(by: .milliseconds(3999))
                _ = try await client.get(server.port)
                #expect(await client.connectionCount() == 1)
                time.advance(by: .seconds(4))
                #expect(await server.ended.first { _ in true } == 0)
                #expect(await client.connectionCount() == 0)
            }
        }
    }

    @Test("A dead family costs a moment, not the whole time limit")
    func deadFamily() async throws {
        // An address of documentation (RFC 3849): silence, or at once no route. Never an answer.
        try await TestServer.run { server in
            try await HTTPClient.run(names: ["two.example": [["2001:db8::1", "127.0.0.1"]]]) { client in
                let response = try await client.send(.to(server.port, host: "two.example", within: .seconds(5)))
                #expect(response.text == "hello")
            }
        }
    }

    @Test("CHECKLIST 59: a name that leads inside is refused, also where it did not the first time, and by numbers in disguise")
    func rebinding() async throws {
        try await TestServer.run { server in
            let names = [
                "rebound.example": [["127.0.0.1"], ["10.0.0.1", "169.254.169.254"]], "mapped.example": [["::ffff:127.0.0.1"]],
            ]
            try await HTTPClient.run(names: names) { client in
                let before = try await client.get(server.port, host: "rebound.example").text
                #expect(before == "hello")
                let restricted = client.reaching(.public)
                let error = await restricted.failure(.to(server.port, host: "rebound.example"))
                #expect(error?.reason == .forbiddenAddress, "The connection that the first request left is not used.")
                #expect(error?.description.contains("10.0.0.1, 169.254.169.254") == true)
                for host in ["mapped.example", "127.0.0.1", "[::1]", "[64:ff9b::7f00:1]", "0.0.0.0"] {
                    let error = await restricted.failure(.to(server.port, host: host))
                    #expect(error?.reason == .forbiddenAddress, "\(host)")
                }
                #expect(await restricted.over(socket: "/run/a.sock").failure(.to(1))?.reason == .forbiddenAddress)
                let after = try await client.get(server.port).text
                #expect(after == "hello", "Who may, still does.")
            }
            #expect(server.observer.all.count == 2)
        }
    }

    @Test(
        "CHECKLIST 59: the system's resolver reads numbers in disguise, and the rule sees what it read",
        arguments: ["127.1", "2130706433", "0x7f.1", "0177.0.0.1", "localhost"])
    func disguised(_ host: String) async throws {
        let client = HTTPClient(egress: .public)
        let error = await client.failure(.to(1, host: host))
        // Some C libraries do not read the odd ones: then there is no such name, and that is as well.
        #expect(error?.reason == .forbiddenAddress || error?.reason == .nameNotFound, "\(String(describing: error))")
        await client.shutDown()
    }

    @Test("The system's resolver knows this machine, and says what it does not know")
    func systemResolver() async throws {
        let client = HTTPClient(egress: .any)
        try await TestServer.run { server in
            let text = try await client.get(server.port, host: "localhost").text
            #expect(text == "hello")
            let error = await client.failure(.to(server.port, host: "no-such-host.invalid"))
            #expect(error?.reason == .nameNotFound)
            #expect(error?.description.hasPrefix("cannot look up no-such-host.invalid: ") == true)
        }
        await client.shutDown()
        #expect(await client.failure(.to(1, host: "localhost"))?.reason == .cancelled)
    }
}
