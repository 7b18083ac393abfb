import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1
import Testing

@testable import GateProxy

@Suite("Limits of what is passed on", .timeLimit(.minutes(1)))
struct UpstreamLimitTests {
    @Test func `a body that is said to be too large is refused before anything is sent`() async throws {
        try await Rig.run(ports: [try await StandIn.freePort()], site: { $0.bodyLimit = 10 }) { (rig: Rig) async throws in
            let body = GivenBody()
            let answer = try await rig.collect(.to("/", .POST, body: .stream(length: 11, body)))
            #expect(answer.status == 413 && answer.body.contains("\"request/too-large\""))
            #expect(body.asks == 0)
            #expect(try await rig.collect(.to("/", .POST, body: .bytes(ByteBuffer(string: "12345678901")))).status == 413)
            #expect(rig.upstream.reports[0].requests == 0)
        }
    }

    @Test func `a body that turns out to be too large is cut off, and answered with 413`() async throws {
        try await Rig.run(site: { $0.bodyLimit = 10 }) { rig, application in
            let body = GivenBody()
            async let answer = rig.collect(.to("/", .POST, body: .stream(length: nil, body)))
            let connection = try await application.accept()
            _ = try await connection.head()
            body.give("1234567890")
            #expect(try await connection.read(until: "0\r\n") == "a\r\n1234567890\r\n")
            body.give("1")
            #expect(try await answer.status == 413)
            let rest = try await connection.readToEnd()
            #expect(!rest.contains("0\r\n\r\n"), "The application must not take the half for the whole.")
            #expect(rig.upstream.reports[0].failures == 0, "It is not its fault.")
        }
    }

    @Test func `exactly the limit is allowed`() async throws {
        try await Rig.run(site: { $0.bodyLimit = 10 }) { rig, application in
            let body = GivenBody()
            async let answer = rig.collect(.to("/", .POST, body: .stream(length: nil, body)))
            body.give("1234567890")
            body.finish()
            let connection = try await application.accept()
            _ = try await connection.read(until: "0\r\n\r\n")
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            #expect(try await answer.status == 200)
        }
    }

    @Test(
        "A body that the client breaks off reaches the application as broken, and nobody blames it",
        arguments: [(BodyError.disconnected, 400), (.timedOut, 408), (.malformed, 400)])
    func brokenBody(error: BodyError, status: Int) async throws {
        try await Rig.run { rig, application in
            let body = GivenBody()
            async let answer = rig.collect(.to("/", .POST, body: .stream(length: nil, body)))
            let connection = try await application.accept()
            _ = try await connection.head()
            body.give("half")
            body.fail(error)
            #expect(try await answer.status == status)
            #expect(!(try await connection.readToEnd()).contains("0\r\n\r\n"))
            #expect(rig.upstream.reports[0].failures == 0)
        }
    }

    @Test func `TRACE would tell the client what only the application is to see`() async throws {
        try await Rig.run(ports: [try await StandIn.freePort()]) { (rig: Rig) async throws in
            #expect(try await rig.collect(.to("/", .TRACE)).status == 405)
        }
    }

    @Test func `a loop is broken`() async throws {
        try await Rig.run(ports: [try await StandIn.freePort()]) { (rig: Rig) async throws in
            let via = Array(repeating: "1.1 gatehouse", count: 4).joined(separator: ", ")
            let answer = try await rig.collect(.to("/", headers: ["via": via]))
            #expect(answer.status == 502 && answer.body.contains("circle"))
        }
    }

    @Test func `the client's going away ends the exchange with the application`() async throws {
        try await Rig.run { rig, application in
            let waiting = Task { await rig.answer(.to("/slow")) }
            let first = try await application.accept()
            _ = try await first.head()
            waiting.cancel()
            #expect(try await first.readToEnd() == "")
            _ = await waiting.value

            // And in the middle of the answer's body.
            async let pending = rig.answer(.to("/events"))
            let second = try await application.accept()
            _ = try await second.head()
            try await second.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst")
            let answer = await pending
            let reading = Task { try await Collected(answer) }
            reading.cancel()
            #expect(try await second.readToEnd() == "")
            await #expect(throws: Collected.BrokenOff.self) { try await reading.value }
            #expect(rig.upstream.reports[0].failures == 0)
            #expect(rig.upstream.reports[0].inFlight == 0)
        }
    }
}
