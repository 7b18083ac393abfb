import GateCore
import GateHTTP
import GateTesting
import NIOCore
import NIOHTTP1
import Testing

@testable import GateProxy

@Suite("Requests passed on to an application", .timeLimit(.minutes(1)))
struct UpstreamHandlerTests {
    @Test("CHECKLIST 30: what Connection names is gone, the identity is there once")
    func wholeRequest() async throws {
        try await Rig.run(rules: { $0.strippedPrefix = "/app" }) { rig, application in
            let request = Request.to(
                "/app/x?y=%2F",
                headers: HTTPHeaders(lines: [
                    "Accept: */*", "Connection: X-Secret, X-Gatehouse-User", "X-Secret: s", "x_gatehouse_user: admin", "Cookie: a=b",
                ]))
            async let answer = rig.collect(request, identity: [("X-Gatehouse-User", "u1"), ("X-Gatehouse-Roles", "owner")])
            let connection = try await application.accept()
            #expect(
                try await connection.head().split(separator: "\r\n").map(String.init) == [
                    "GET /x?y=%2F HTTP/1.1", "Host: app.example.com", "Accept: */*", "Cookie: a=b", "X-Forwarded-For: 203.0.113.7",
                    "X-Real-IP: 203.0.113.7", "X-Forwarded-Proto: https", "X-Forwarded-Host: app.example.com",
                    "X-Forwarded-Prefix: /app", "Forwarded: for=203.0.113.7;proto=https;host=app.example.com",
                    "X-Request-Id: 0123456789abcdef", "Via: 1.1 gatehouse", "X-Gatehouse-User: u1", "X-Gatehouse-Roles: owner",
                ])
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
            #expect(try await answer.body == "hello")
        }
    }

    @Test func `an answer's own fields arrive, those of its connection don't`() async throws {
        try await Rig.run(site: {
            $0.responseFields.removed = ["Server"]
            $0.responseFields.set = [("X-Frame-Options", "DENY")]
        }) { rig, application in
            async let answer = rig.collect(.to())
            let connection = try await application.accept()
            _ = try await connection.head()
            try await connection.send(
                """
                HTTP/1.1 404 Nothing\r
                Content-Type: text/plain\r
                Connection: keep-alive, X-Hop\r
                X-Hop: 1\r
                Keep-Alive: timeout=5\r
                Server: apache\r
                Date: Sun, 06 Nov 1994 08:49:37 GMT\r
                X-Request-Id: theirs\r
                Set-Cookie: a=b; Path=/\r
                set-cookie: c=d\r
                ETag: "x"\r
                X-Frame-Options: SAMEORIGIN\r
                Content-Length: 2\r
                \r
                no
                """)
            let collected = try await answer
            #expect(collected.status == 404)
            #expect(
                collected.fields == [
                    "Content-Type: text/plain", "Set-Cookie: a=b; Path=/", "set-cookie: c=d", "ETag: \"x\"", "X-Frame-Options: DENY",
                ])
            #expect(collected.body == "no" && collected.length == 2)
        }
    }

    @Test func `an application sets any cookie but the session's, which is said once`() async throws {
        try await Rig.run { rig, application in
            var connection: Conversation?
            for _ in 0..<2 {
                async let answer = rig.collect(.to())
                if connection == nil { connection = try await application.accept() }
                _ = try await connection!.head()
                try await connection!.send(
                    """
                    HTTP/1.1 200 OK\r
                    Set-Cookie: a=b\r
                    Set-Cookie: __Host-gatehouse=stolen; Path=/; Secure\r
                    set-cookie: =__Host-gatehouse=nameless\r
                    Set-Cookie: c=d\r
                    Content-Length: 0\r
                    \r\n
                    """)
                #expect(try await answer.fields == ["Set-Cookie: a=b", "Set-Cookie: c=d"])
            }
            #expect(rig.log.lines.filter { $0.contains("cookie=__Host-gatehouse") && $0.hasPrefix("warning") }.count == 1)
            #expect(!rig.log.lines.contains { $0.contains("stolen") })
        }
    }

    @Test func `references to its own paths are those of the client`() async throws {
        try await Rig.run(rules: { $0.strippedPrefix = "/app" }) { rig, application in
            async let answer = rig.collect(.to("/app/x"))
            let connection = try await application.accept()
            _ = try await connection.head()
            try await connection.send(
                """
                HTTP/1.1 302 Found\r
                Location: https://app.example.com/login?next=%2Fx\r
                Server: apache\r
                content-location: /x.html\r
                Link: </x>; rel=next\r
                Content-Length: 0\r
                \r\n
                """)
            #expect(
                try await answer.fields == [
                    "Server: apache", "Link: </x>; rel=next", "Location: https://app.example.com/app/login?next=%2Fx",
                    "content-location: /app/x.html",
                ])
        }
    }

    @Test(
        "An answer without a body keeps what it says of one",
        arguments: [
            (HTTPMethod.HEAD, "200 OK\r\nContent-Length: 1234\r\n", 1234), (.HEAD, "200 OK\r\nTransfer-Encoding: chunked\r\n", nil),
            (.GET, "204 No Content\r\n", 0), (.GET, "304 Not Modified\r\nETag: \"x\"\r\n", 0), (.GET, "200 OK\r\nContent-Length: 0\r\n", 0),
        ] as [(HTTPMethod, String, Int?)])
    func bodiless(method: HTTPMethod, head: String, length: Int?) async throws {
        try await Rig.run { rig, application in
            async let first = rig.collect(.to("/", method))
            let connection = try await application.accept()
            #expect(try await connection.head().hasPrefix(method.rawValue))
            try await connection.send("HTTP/1.1 \(head)\r\n")
            let collected = try await first
            #expect(collected.body.isEmpty && collected.length == length)
            // The connection is free for the next.
            async let second = rig.collect(.to("/again"))
            #expect(try await connection.head().hasPrefix("GET /again"))
            try await connection.send("HTTP/1.1 204 No Content\r\n\r\n")
            _ = try await second
            #expect(rig.upstream.reports[0].inFlight == 0)
        }
    }

    @Test func `both bodies stream at once, and nothing is held back`() async throws {
        try await Rig.run { rig, application in
            let body = GivenBody()
            async let pending = rig.answer(.to("/", .POST, body: .stream(length: nil, body)))
            let connection = try await application.accept()
            #expect(try await connection.head().contains("\r\nTransfer-Encoding: chunked\r\n"))
            body.give("one")
            #expect(try await connection.read(until: "one\r\n") == "3\r\none\r\n")
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            let answer = await pending
            guard case .stream(nil, let produce) = answer.body else { throw Failed() }
            let writer = CollectingWriter()
            async let produced: Void = produce(writer)
            for event in ["first", "second", "third"] {
                try await connection.send("\(event.utf8.count)\r\n\(event)\r\n")
                #expect(await writer.part() == event)
                body.give(event)
                #expect(try await connection.read(until: "\(event)\r\n").hasSuffix("\(event)\r\n"))
            }
            #expect(rig.upstream.reports[0].inFlight == 1)
            body.finish(trailers: ["digest": "x", "content-length": "5", "x_gatehouse_user": "admin", "x-forwarded-for": "1.2.3.4"])
            #expect(try await connection.read(until: "\r\n\r\n") == "0\r\ndigest: x\r\n\r\n")
            try await connection.send("0\r\nServer-Timing: db\r\nSet-Cookie: a=b\r\n\r\n")
            try await produced
            #expect(writer.fields == ["server-timing": "db"])
            #expect(rig.upstream.reports[0].inFlight == 0)
        }
    }

    @Test func `a body whose length is known is sent with it`() async throws {
        try await Rig.run { rig, application in
            let body = GivenBody()
            async let answer = rig.collect(.to("/", .PUT, body: .stream(length: 6, body)))
            let connection = try await application.accept()
            let head = try await connection.head()
            #expect(head.contains("\r\nContent-Length: 6\r\n") && !head.contains("chunked"))
            body.give("abc")
            body.give("def")
            body.finish()
            #expect(try await connection.read(6) == "abcdef")
            try await connection.send("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
            #expect(try await answer.status == 201)
        }
    }

    @Test func `the client's body is asked for when the application asks for it`() async throws {
        try await Rig.run { rig, application in
            let body = GivenBody()
            async let answer = rig.collect(.to("/", .POST, headers: ["expect": "100-continue"], body: .stream(length: 3, body)))
            let connection = try await application.accept()
            #expect(try await connection.head().lowercased().contains("\r\nexpect: 100-continue\r\n"))
            #expect(body.asks == 0)
            try await connection.send("HTTP/1.1 100 Continue\r\n\r\n")
            await body.isAsked()
            body.give("abc")
            body.finish()
            #expect(try await connection.read(3) == "abc")
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            #expect(try await answer.status == 200)
        }
    }

    @Test func `an application that refuses a body is not sent it, and the client never asked for it`() async throws {
        try await Rig.run { rig, application in
            let body = GivenBody()
            async let answer = rig.collect(.to("/", .POST, headers: ["expect": "100-continue"], body: .stream(length: 3, body)))
            let connection = try await application.accept()
            _ = try await connection.head()
            try await connection.send("HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n")
            #expect(try await answer.status == 413)
            #expect(body.asks == 0)
        }
    }

    @Test func `an early answer is passed on while the request is still coming`() async throws {
        try await Rig.run { rig, application in
            let body = GivenBody()
            async let answer = rig.collect(.to("/", .POST, body: .stream(length: 1 << 30, body)))
            let connection = try await application.accept()
            _ = try await connection.head()
            body.give("abc")
            #expect(try await connection.read(3) == "abc")
            try await connection.send("HTTP/1.1 401 No\r\nContent-Length: 6\r\n\r\nsorry!")
            let collected = try await answer
            #expect(collected.status == 401 && collected.body == "sorry!")
            #expect(try await connection.readToEnd() == "", "No other request can follow the half of one.")
        }
    }

    struct Failed: Error {}
}
