import GateHTTP
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import GateNet

@Suite("Responses that come without a task", .timeLimit(.minutes(1)))
struct PendingResponseTests {
    /// Answers with the path: at once, later on the event loop, or from a task.
    private static func answer(_ request: Request) -> Answer {
        let pending = PendingResponse(on: MultiThreadedEventLoopGroup.currentEventLoop!)
        let response = Response.text(.ok, request.target.raw)
        switch request.target.path {
        case "/at-once": pending.resolve(response)
        case "/task": pending.resolve { response }
        default:
            let bound = NIOLoopBound(pending, eventLoop: MultiThreadedEventLoopGroup.currentEventLoop!)
            bound.eventLoop.scheduleTask(in: .milliseconds(1)) { bound.value.resolve(response) }
        }
        return Answer.pending(pending).changed { $0.headers.add(name: "x-changed", value: "1") }
    }

    @Test("Come at once, later, or from a task, they are sent in order, with the changes made to them")
    func inOrder() async throws {
        let paths = ["/at-once", "/later", "/task", "/later", "/at-once"]
        try await TestServer.run(answer: Self.answer) { server in
            let received = try await server.exchange(
                paths.enumerated().map { "GET \($1)?\($0) HTTP/1.1\r\nHost: a\r\nConnection: \($0 == 4 ? "close" : "x")\r\n\r\n" }.joined())
            let places = paths.enumerated().map { received.firstRange(of: "\r\n\r\n\($1)?\($0)")?.lowerBound }
            #expect(!places.contains(nil) && places.map { $0! } == places.map { $0! }.sorted(), "\(received)")
            #expect(received.ranges(of: "x-changed: 1\r\n").count == 5)
        }
    }

    @Test("The same over HTTP/2")
    func http2() async throws {
        try await TestServer.run(decorator: PriorKnowledge(), answer: Self.answer) { server in
            let client = try await FrameClient(port: server.port)
            for (number, path) in ["/at-once", "/later", "/task"].enumerated() {
                let stream = UInt32(2 * number + 1)
                try await client.send(.headers(stream, WireFrame.request("GET", path)))
                #expect(try await client.answer(on: stream)?.text == path)
            }
        }
    }

    @Test("Asked for by a task elsewhere, it is given there")
    func awaited() async {
        for eventLoop in [MultiThreadedEventLoopGroup.singleton.next(), MultiThreadedEventLoopGroup.singleton.next()] {
            let pending = PendingResponse(on: eventLoop)
            eventLoop.execute { pending.resolve(Response(.accepted)) }
            #expect(await Answer.pending(pending).response.status == .accepted)
        }
    }

    @Test("Cancelled, what would resolve it is broken off")
    func cancelled() async {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let pending = PendingResponse(on: eventLoop)
        eventLoop.execute { pending.whenCancelled { pending.resolve(Response(.badGateway)) } }
        let task = Task { await Answer.pending(pending).response.status }
        task.cancel()
        #expect(await task.value == .badGateway)
    }

    @Test("Cancelled, a task that resolves it is broken off, and not what had failed before that")
    func cancelledTask() async {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let pending = PendingResponse(on: eventLoop)
        eventLoop.execute {
            // As where a call fails before it can be told how it is given up.
            pending.resolve {
                try? await Task.sleep(for: .seconds(5))
                return Response(Task.isCancelled ? .badGateway : .ok)
            }
            pending.whenCancelled { Issue.record("That is over.") }
            pending.cancel()
        }
        #expect(await Answer.pending(pending).response.status == .badGateway)
    }

    /// A proxy that makes no task.
    private static func proxy(to endpoint: Endpoint) -> @Sendable (Request) -> Answer {
        { request in
            guard let loop = endpoint.loop else { return .now(Response(.internalServerError)) }
            let pending = PendingResponse(on: loop.eventLoop)
            let cancel = endpoint.begin(StreamedRequest(request.method, request.target.raw, body: request.body), on: loop) { outcome in
                switch outcome {
                case .success(let response):
                    guard case .whole(let bytes) = response.body else { return pending.resolve(Response(.notImplemented)) }
                    pending.resolve(Response(response.status, body: .bytes(bytes)))
                case .failure(let error): pending.resolve(.text(.badGateway, error.description))
                }
            }
            pending.whenCancelled(cancel)
            return .pending(pending)
        }
    }

    /// Returns once the second connection has its request.
    private func asked(_ upstream: ScriptedServer) async throws {
        while upstream.received.count < 2 || !upstream.received[1].hasSuffix("\r\n\r\n") { try await Task.sleep(for: .milliseconds(1)) }
    }

    @Test("A proxy without a task: answers, failures, and a client that goes away before it has its answer", arguments: [false, true])
    func proxied(_ isHTTP2: Bool) async throws {
        let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        try await ScriptedServer.run(
            [.await("\r\n\r\n"), .send(ok), .await("\r\n\r\n"), .send("no HTTP"), .awaitEnd], [.await("\r\n\r\n"), .awaitEnd]
        ) { upstream in
            try await HTTPClient.run { client in
                let endpoint = client.to(upstream.port)
                try await TestServer.run(decorator: isHTTP2 ? PriorKnowledge() : nil, answer: Self.proxy(to: endpoint)) { server in
                    if isHTTP2 {
                        let client = try await FrameClient(port: server.port)
                        for (stream, status) in [(1, "200"), (3, "502")] as [(UInt32, String)] {
                            try await client.send(.headers(stream, WireFrame.request()))
                            #expect(try await client.answer(on: stream)?.status == status)
                        }
                        try await client.send(.headers(5, WireFrame.request()))
                        try await asked(upstream)
                        await client.close()
                    } else {
                        let client = try await server.connect()
                        for status in ["200 OK", "502 Bad Gateway"] {
                            try await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                            #expect(try await client.read(until: "\r\n\r\n").contains(status))
                        }
                        try await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                        try await asked(upstream)
                        await client.close()
                    }
                    // The first connection was closed over what is no HTTP, the second with its client.
                    #expect(await upstream.ended.first { _ in true } == 0)
                    #expect(await upstream.ended.first { _ in true } == 1)
                    while endpoint.requestsInFlight > 0 { await Task.yield() }
                }
            }
        }
    }
}
