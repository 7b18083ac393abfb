import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1
import Testing

@testable import GateNet

@Suite("The outgoing client: what a proxy is told to decide whether to try elsewhere", .timeLimit(.minutes(1)))
struct ClientRetryTests {
    private typealias Step = ScriptedServer.Step
    private static let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var script: [ScriptedServer.Step]
        var body: [String]?
        var reason = OutgoingError.Reason.disconnected
        var progress: OutgoingError.Progress
        var isBodyBegun = false
        var testDescription: String { name }
    }

    static let cases = [
        Case(name: "closed over the request", script: [.await("\r\n\r\n"), .close], progress: .sent),
        Case(name: "reset over the request", script: [.await("\r\n\r\n"), .reset], progress: .sent),
        Case(name: "closed in the head", script: [.await("\r\n\r\n"), .send("HTTP/1.1 200"), .close], progress: .responseBegun),
        Case(
            name: "closed after an interim response", script: [.await("\r\n\r\n"), .send("HTTP/1.1 103 X\r\n\r\n"), .close],
            progress: .responseBegun),
        Case(
            name: "no HTTP", script: [.await("\r\n\r\n"), .send("SSH-2.0\r\n"), .awaitEnd], reason: .badResponse, progress: .responseBegun),
        Case(
            name: "closed in the request's body", script: [.await("body"), .close], body: ["body"], progress: .sent, isBodyBegun: true),
    ]

    @Test("How far the request had come", arguments: cases)
    func progress(_ item: Case) async throws {
        try await ScriptedServer.run(item.script) { server in
            try await HTTPClient.run { client in
                let endpoint = client.to(server.port)
                let body: RequestBody = item.body.map { .stream(length: 4, Parts($0)) } ?? .empty
                let error = await #expect(throws: OutgoingError.self) { try await endpoint.stream(StreamedRequest(.POST, "/", body: body)) }
                #expect(error?.reason == item.reason && error?.progress == item.progress, "\(String(describing: error))")
                #expect(error?.isBodyBegun == item.isBodyBegun)
                #expect(endpoint.requestsInFlight == 0)
            }
            #expect(server.received.count == 1)
        }
    }

    @Test("Where nobody listens nothing was sent, and a body is still whole")
    func refused() async throws {
        let port = try await ScriptedServer.freePort()
        try await HTTPClient.run { client in
            let parts = Parts(["body"])
            let error = await #expect(throws: OutgoingError.self) {
                try await client.to(port).stream(StreamedRequest(.POST, "/", body: .stream(length: 4, parts)))
            }
            #expect(error?.reason == .refused && error?.progress == .nothingSent && error?.isBodyBegun == false)
            let part = try await parts.next()
            #expect(part == ByteBuffer(string: "body"))
        }
    }

    @Test(
        "On a kept connection that breaks, only what may be sent again is, and only where its body is whole",
        arguments: [(false, false, 1), (true, false, 2), (true, true, 1), (false, true, 1)])
    func stale(_ mayResend: Bool, _ isStreamed: Bool, _ connections: Int) async throws {
        let stale: [Step] = [.await("\r\n\r\n"), .send(Self.answer), .await("\r\n\r\n"), .close]
        try await ScriptedServer.run(stale, [.await("body"), .send(Self.answer), .awaitEnd]) { server in
            try await HTTPClient.run { client in
                let endpoint = client.to(server.port)
                _ = try await endpoint.stream(StreamedRequest(.GET, "/"))
                let bytes = ByteBuffer(string: "body")
                let request = StreamedRequest(
                    .PUT, "/", body: isStreamed ? .stream(length: 4, Parts(["body"])) : .bytes(bytes), mayResend: mayResend)
                do throws(OutgoingError) {
                    let response = try await endpoint.stream(request)
                    #expect(response.status == .ok && connections == 2)
                } catch {
                    #expect(error.reason == .disconnected && error.progress == .sent && connections == 1)
                }
                #expect(endpoint.requestsInFlight == 0)
            }
            #expect(server.received.count == connections)
        }
    }

    @Test("A body that is held back for 100 Continue is still there to be sent again")
    func staleBeforeBody() async throws {
        let stale: [Step] = [.await("\r\n\r\n"), .send(Self.answer), .await("\r\n\r\n"), .close]
        let fine: [Step] = [.await("\r\n\r\n"), .send("HTTP/1.1 100 X\r\n\r\n"), .await("body"), .send(Self.answer), .awaitEnd]
        try await ScriptedServer.run(stale, fine) { server in
            try await HTTPClient.run { client in
                let endpoint = client.to(server.port)
                _ = try await endpoint.stream(StreamedRequest(.GET, "/"))
                let request = StreamedRequest(
                    .PUT, "/", body: .stream(length: 4, Parts(["body"])), expectsContinue: true, mayResend: true)
                #expect(try await endpoint.status(request) == .ok)
            }
        }
    }

    @Test("Whatever breaks, and whoever gives up, the count of what is on its way comes back to nothing")
    func counting() async throws {
        let scripts: [[Step]] = [
            [.await("\r\n\r\n"), .close], [.await("\r\n\r\n"), .send(Self.answer), .close], [.await("\r\n\r\n"), .reset], [.awaitEnd],
            [.await("\r\n\r\n"), .send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"), .awaitEnd],
        ]
        for script in scripts {
            try await ScriptedServer.run(script) { server in
                try await HTTPClient.run { client in
                    let endpoint = client.to(server.port) { $0.connections = 2 }
                    await withTaskGroup(of: Void.self) { group in
                        for number in 0..<8 {
                            group.addTask {
                                let request = StreamedRequest(.GET, "/", responseTime: .milliseconds(100 + 20 * number))
                                guard let response = try? await endpoint.stream(request) else { return }
                                if number % 2 == 0 { _ = try? await response.next() }
                            }
                        }
                        if case .awaitEnd = script[0] { group.cancelAll() }
                    }
                    // Letting go of a body is told to its event loop.
                    while endpoint.requestsInFlight > 0 { await Task.yield() }
                    while await client.connectionCount() > 0 { await client.shutDown() }
                }
            }
        }
    }
}
