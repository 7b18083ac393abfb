import GateCore
import GateHTTP
import GateTesting
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@testable import GateProxy

@Suite("Applications that fail", .timeLimit(.minutes(1)))
struct UpstreamFailureTests {
    @Test func `nobody listens`() async throws {
        try await Rig.run(ports: [try await StandIn.freePort()]) { (rig: Rig) async throws in
            let answer = try await rig.collect(.to("/x"))
            #expect(answer.status == 502)
            #expect(answer.value("content-type") == "application/problem+json")
            #expect(
                answer.body.contains("\"code\":\"upstream/unreachable\"") && answer.body.contains("\"request_id\":\"0123456789abcdef\""))
            #expect(!answer.body.contains("127.0.0.1"), "Nothing internal is told.")
            #expect(rig.log.lines.contains { $0.contains("127.0.0.1") && $0.contains("request_id=0123456789abcdef") })
            #expect(rig.upstream.reports[0].failures == 1)
        }
    }

    @Test func `our word for it carries the site's fields, but those of the content`() async throws {
        try await Rig.run(
            ports: [try await StandIn.freePort()],
            site: {
                $0.responseFields.set = [("X-Site", "shop"), ("Content-Type", "text/css"), ("Content-Security-Policy", "default-src *")]
                $0.responseFields.removed = ["Cache-Control", "Content-Type"]
            }
        ) { (rig: Rig) async throws in
            let page = try await rig.collect(.to("/x", headers: ["Accept": "text/html"]))
            #expect(page.status == 502)
            #expect(page.value("x-site") == "shop" && page.value("cache-control") == nil)
            #expect(page.value("content-type") == "text/html; charset=utf-8")
            #expect(page.value("content-security-policy")?.hasPrefix("default-src 'none'") == true)
        }
    }

    @Test(
        "What is no answer",
        arguments: [
            ("", 502), ("HTTP/1.1 200 OK\r\nContent-Le", 502), ("SSH-2.0-OpenSSH\r\n", 502), ("HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n", 502),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", 502),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 502),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nxyz\r\n", 502),
            ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", 502),
        ])
    func noAnswer(sent: String, status: Int) async throws {
        try await Rig.run(rules: { $0.retries = 0 }) { rig, application in
            async let answer = rig.collect(.to("/", .POST))
            let connection = try await application.accept()
            _ = try await connection.head()
            if !sent.isEmpty { try await connection.send(sent) }
            await connection.close()
            #expect(try await answer.status == status)
            #expect(rig.upstream.reports[0].failures == 1)
            #expect(rig.upstream.reports[0].inFlight == 0)
        }
    }

    @Test func `one that never answers`() async throws {
        try await Rig.run(rules: { $0.responseTime = .milliseconds(200) }) { rig, application in
            let answer = try await rig.collect(.to("/"))
            #expect(answer.status == 504)
            #expect(answer.body.contains("\"upstream/timeout\""))
            #expect(rig.upstream.reports[0].requests == 1, "It is not asked to begin again.")
            _ = application
        }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ]) func `one that dies in the middle of its answer: the client sees that it is not whole`(sent: String) async throws {
        try await Rig.run { rig, application in
            async let pending = rig.answer(.to("/"))
            let connection = try await application.accept()
            _ = try await connection.head()
            try await connection.send(sent)
            let answer = await pending
            #expect(answer.status == .ok)
            await connection.close()
            let broken = await #expect(throws: Collected.BrokenOff.self) { try await Collected(answer) }
            #expect(broken?.body == "half")
            #expect(rig.upstream.reports[0].failures == 1)
            #expect(rig.log.lines.contains { $0.contains("broke off") })
        }
    }

    @Test func `one that falls silent in the middle of its answer`() async throws {
        try await Rig.run(rules: { $0.idleTime = .milliseconds(200) }) { rig, application in
            async let pending = rig.answer(.to("/"))
            let connection = try await application.accept()
            _ = try await connection.head()
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            let answer = await pending
            let broken = await #expect(throws: Collected.BrokenOff.self) { try await Collected(answer) }
            #expect(broken?.error as? BodyError == .timedOut)
        }
    }

    // MARK: Trying again

    @Test(
        "A request that never left goes to another server, whatever it is",
        arguments: [(HTTPMethod.GET, ""), (.POST, "body"), (.PATCH, ""), (.DELETE, "")])
    func refusedThere(method: HTTPMethod, body: String) async throws {
        let application = try await StandIn()
        try await Rig.run(ports: [try await StandIn.freePort(), application.port], rules: { $0.maxFailures = 1 }) {
            (rig: Rig) async throws in
            // Each event loop takes turns by itself: sooner or later it is the dead one's.
            var count = 0
            while rig.upstream.reports[0].failures == 0 || count < 20 {
                count += 1
                async let answer = rig.collect(.to("/", method, body: body.isEmpty ? .empty : .bytes(ByteBuffer(string: body))))
                let connection = try await application.accept()
                #expect(try await connection.head().hasPrefix("\(method.rawValue) / "))
                #expect(try await connection.read(body.utf8.count) == body)
                try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
                #expect(try await answer.body == "ok")
            }
            #expect(rig.upstream.reports.map(\.failures) == [1, 0], "Once it has failed it is left out.")
            #expect(rig.upstream.reports.map(\.isHealthy) == [false, true])
            #expect(rig.log.lines.contains { $0.contains("left out") })
        }
    }

    @Test("A server that hangs up: what may be repeated goes to another", arguments: [HTTPMethod.GET, .HEAD, .PUT, .DELETE, .OPTIONS])
    func hangsUp(method: HTTPMethod) async throws {
        let (one, other) = (try await StandIn(), try await StandIn())
        try await Rig.run(ports: [one.port, other.port]) { (rig: Rig) async throws in
            let arrivals = Arrivals()
            try await withThrowingDiscardingTaskGroup { group async throws in
                for application in [one, other] {
                    group.addTask {
                        let connection = try await application.accept()
                        _ = try await connection.head()
                        // Whichever is asked first hangs up.
                        if arrivals.isFirst() {
                            await connection.close()
                        } else {
                            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                        }
                    }
                }
                #expect(try await rig.collect(.to("/", method)).status == 200)
            }
            #expect(rig.upstream.reports.map(\.requests) == [1, 1])
        }
    }

    @Test("What may have had its effect is not sent twice", arguments: [HTTPMethod.POST, .PATCH])
    func notTwice(method: HTTPMethod) async throws {
        let (one, other) = (try await StandIn(), try await StandIn())
        try await Rig.run(ports: [one.port, other.port]) { (rig: Rig) async throws in
            for application in [one, other] {
                Task {
                    let connection = try await application.accept()
                    _ = try await connection.head()
                    await connection.close()
                }
            }
            #expect(try await rig.collect(.to("/", method)).status == 502)
            #expect(rig.upstream.reports.map(\.requests).reduce(0, +) == 1)
        }
    }

    @Test func `a body that has been begun is not sent twice`() async throws {
        let (one, other) = (try await StandIn(), try await StandIn())
        try await Rig.run(ports: [one.port, other.port]) { (rig: Rig) async throws in
            for application in [one, other] {
                Task {
                    let connection = try await application.accept()
                    _ = try await connection.read(until: "part")
                    await connection.close()
                }
            }
            let body = GivenBody()
            body.give("part")
            #expect(try await rig.collect(.to("/", .PUT, body: .stream(length: nil, body))).status == 502)
            #expect(rig.upstream.reports.map(\.requests).reduce(0, +) == 1)
            body.finish()
        }
    }

    @Test(arguments: [(0, 1), (1, 2), (2, 3), (5, 3)]) func `no more servers are tried than may be`(retries: Int, expected: UInt64)
        async throws
    {
        let ports = [try await StandIn.freePort(), try await StandIn.freePort(), try await StandIn.freePort()]
        try await Rig.run(ports: ports, rules: { $0.retries = retries }) { (rig: Rig) async throws in
            #expect(try await rig.collect(.to("/")).status == 502)
            #expect(rig.upstream.reports.map(\.requests).reduce(0, +) == expected)
        }
    }

    @Test func `a single server that hung up is asked once more`() async throws {
        try await Rig.run { rig, application in
            async let answer = rig.collect(.to("/"))
            let first = try await application.accept()
            _ = try await first.head()
            await first.close()
            let second = try await application.accept()
            _ = try await second.head()
            try await second.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            #expect(try await answer.status == 200)
        }
    }

    @Test func `a server with no connection free is not a broken one`() async throws {
        try await Rig.run(rules: {
            $0.maxConnections = 1
            $0.connectTime = .milliseconds(200)
        }) { rig, application in
            async let first = rig.collect(.to("/slow"))
            let connection = try await application.accept()
            _ = try await connection.head()
            let second = try await rig.collect(.to("/"))
            #expect(second.status == 503 && second.value("retry-after") == "1")
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            #expect(try await first.status == 200)
            #expect(rig.upstream.reports[0].failures == 0 && rig.upstream.reports[0].isHealthy)
        }
    }

    // MARK: Health checks

    @Test func `where health checks find the only server down, the answer is 503 until they find it up`() async throws {
        let check = UpstreamRules.HealthCheck(path: "/healthz")
        try await Rig.run(rules: { $0.health = check }) { rig, application in
            for status in ["500 Down", "503 Down"] {
                async let checked: Void = rig.upstream.check(0, check)
                let connection = try await application.accept()
                #expect(try await connection.head().hasPrefix("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:"))
                try await connection.send("HTTP/1.1 \(status)\r\nConnection: close\r\nContent-Length: 4\r\n\r\ndown")
                await checked
            }
            let answer = try await rig.collect(.to("/"))
            #expect(answer.status == 503 && answer.value("retry-after") == "10")
            #expect(
                rig.upstream.reports == [
                    UpstreamReport(server: "http://127.0.0.1:\(application.port)", requests: 0, failures: 0, inFlight: 0, isHealthy: false)
                ])

            async let checked: Void = rig.upstream.check(0, check)
            let connection = try await application.accept()
            _ = try await connection.head()
            try await connection.send("HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            await checked
            async let again = rig.collect(.to("/"))
            let next = try await application.accept()
            _ = try await next.head()
            try await next.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            #expect(try await again.status == 200)
            #expect(rig.log.lines.filter { $0.contains("left out") }.count == 1)
            #expect(rig.log.lines.filter { $0.contains("is back") }.count == 1)
        }
    }

    @Test func `a health check that is not answered in time is a bad one`() async throws {
        var check = UpstreamRules.HealthCheck(path: "/")
        check.timeout = .milliseconds(100)
        try await Rig.run(rules: { $0.health = check }) { rig, application in
            for _ in 0..<2 { await rig.upstream.check(0, check) }
            #expect(!rig.upstream.reports[0].isHealthy)
            _ = application
        }
    }

    @Test func `health checks run as long as they are told to, on what they are told to watch`() async throws {
        try await Rig.run(rules: {
            $0.health = UpstreamRules.HealthCheck(path: "/up")
            $0.health?.interval = .milliseconds(10)
        }) { rig, application in
            let checks = HealthChecks()
            let running = Task { await checks.run() }
            checks.watch([rig.upstream])
            let connection = try await application.accept()
            for _ in 0..<3 {
                #expect(try await connection.head().hasPrefix("GET /up "))
                try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            }
            running.cancel()
            await running.value
            #expect(rig.upstream.reports[0].isHealthy)
        }
    }

    /// Tells who comes first.
    private final class Arrivals: Sendable {
        private let count = Atomic<Int>(0)
        func isFirst() -> Bool { count.add(1, ordering: .sequentiallyConsistent).newValue == 1 }
    }
}
