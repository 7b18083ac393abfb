import GateCore
import GateHTTP
import GateTesting
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import GateNet

@Suite("Listening and stopping")
struct ListeningTests {
    private func server(_ addresses: ListenerAddress...) -> HTTPServer {
        HTTPServer(
            addresses.map { Listener($0) },
            responder: ClosureResponder { request in .now(.text(.ok, "peer \(request.peer?.description ?? "none")")) },
            observer: RecordingObserver(), group: MultiThreadedEventLoopGroup.singleton)
    }

    private func reason(_ server: HTTPServer) async -> ListenError? {
        do {
            _ = try await server.start()
            await server.shutdownGracefully(within: .zero)
            return nil
        } catch { return error as? ListenError }
    }

    @Test("Several addresses at once; a taken one is named")
    func addressInUse() async throws {
        let first = server(.tcp(host: "127.0.0.1", port: 0), .tcp(host: "127.0.0.1", port: 0))
        let bound = try await first.start()
        #expect(Set(bound.compactMap(\.port)).count == 2)
        let taken = ListenerAddress.tcp(host: "127.0.0.1", port: bound[1].port!)
        let error = await reason(server(.tcp(host: "127.0.0.1", port: 0), taken))
        #expect(error?.reason == .addressInUse && error?.address == taken)
        #expect(error?.description.contains(taken.description) == true)
        await first.shutdownGracefully(within: .zero)
        #expect(await reason(server(taken)) == nil, "After stopping, the address is free at once.")
    }

    @Test("Every event loop accepts, and connections stay where they were accepted")
    func everyLoop() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let server = HTTPServer(
            [Listener(.tcp(host: "127.0.0.1", port: 0))],
            responder: ClosureResponder { _ in .now(.text(.ok, "thread \(pthread_self()).")) },
            observer: RecordingObserver(), group: group)
        let port = try await server.start()[0].port!
        var threads: Set<String> = []
        // The kernel deals them out by their ports: that one socket gets all of 60 happens once in 2^59 times.
        for _ in 0..<60 {
            let client = try await RawClient(port: port)
            try await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            let told = try await client.readToEnd().split(separator: "thread ").dropFirst().map { $0.prefix { $0.isNumber } }
            #expect(told.count == 2 && told.first == told.last)
            threads.formUnion(told.map(String.init))
        }
        await server.shutdownGracefully(within: .zero)
        try await group.shutdownGracefully()
        #expect(threads.count == 2)
    }

    @Test("All of IPv4 and all of IPv6 on one port; without IPv6 the error says so")
    func bothFamilies() async throws {
        let four = server(.tcp(host: "0.0.0.0", port: 0))
        let port = try await four.start()[0].port!
        let error = await reason(server(.tcp(host: "::", port: port)))
        #expect(error == nil || error?.reason == .addressUnavailable, "\(String(describing: error))")
        await four.shutdownGracefully(within: .zero)
    }

    @Test("An address of another machine, and a name that is none")
    func unavailable() async {
        #expect(await reason(server(.tcp(host: "192.0.2.1", port: 0)))?.reason == .addressUnavailable)
        #expect(await reason(server(.tcp(host: "no such host", port: 0)))?.reason == .addressUnavailable)
    }

    /// Lets HTTP in only later, as TLS does after its handshake.
    private struct LateDecorator: ConnectionDecorator {
        var scheme: Request.Scheme { .https }
        func decorate(_ channel: any Channel, onLoop _: Int, serve: @escaping @Sendable (ApplicationProtocol) throws -> Void) {
            channel.eventLoop.scheduleTask(in: .milliseconds(20)) { try serve(.http1) }
        }
    }

    @Test("A decorated listener serves what comes through the decorator, under its scheme")
    func decorated() async throws {
        let server = HTTPServer(
            [Listener(.tcp(host: "127.0.0.1", port: 0), decorator: LateDecorator())],
            responder: ClosureResponder { .now(.text(.ok, $0.scheme.rawValue)) }, observer: RecordingObserver(),
            group: MultiThreadedEventLoopGroup.singleton)
        let client = try await RawClient(port: try await server.start()[0].port!)
        try await client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        #expect(try await client.readToEnd().hasSuffix("\r\n\r\nhttps"))
        await server.shutdownGracefully(within: .zero)
    }

    @Test("A Unix socket is for its user alone, answers, and is gone afterwards")
    func unixSocket() async throws {
        let folder = TemporaryFolder()
        let path = folder.file("a.sock")
        let client = HTTPClient(egress: .any).over(socket: path)
        let request = OutgoingRequest(.POST, HTTPURL("http://localhost/x")!, headers: ["x": "y"], body: ByteBuffer(string: "body"))
        let missing = await #expect(throws: OutgoingError.self) { try await client.send(request) }
        #expect(missing?.reason == .refused && missing?.description == "cannot connect to \(path): it does not exist")
        let server = server(.unix(path: path))
        #expect(try await server.start() == [BoundAddress(listener: .unix(path: path), host: nil, port: nil)])
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        let response = try await client.send(request)
        #expect(response.status == .ok && String(buffer: response.body) == "peer none")
        #expect(await reason(self.server(.unix(path: path)))?.reason == .addressInUse)
        await client.shutDown()
        await server.shutdownGracefully(within: .zero)
        #expect(access(path, F_OK) != 0)
    }

    @Test("A socket left behind is replaced, anything else is left alone")
    func staleSocket() async throws {
        let folder = TemporaryFolder()
        let path = folder.file("a.sock")
        close(try UnixSocketFile.listen(path, backlog: 1))
        let client = HTTPClient(egress: .any).over(socket: path)
        let refused = await #expect(throws: OutgoingError.self) {
            try await client.send(OutgoingRequest(.GET, HTTPURL("http://localhost/")!))
        }
        #expect(refused?.reason == .refused && refused?.description.contains("nobody listens on it any more") == true)
        await client.shutDown()
        #expect(await reason(server(.unix(path: path))) == nil)
        let file = folder.file("file")
        close(open(file, O_CREAT | O_WRONLY, 0o600))
        #expect(await reason(server(.unix(path: file)))?.reason == .badPath)
        #expect(access(file, F_OK) == 0)
        #expect(await reason(server(.unix(path: folder.file("none/a.sock"))))?.reason == .badPath)
        #expect(await reason(server(.unix(path: "/tmp/" + String(repeating: "a", count: 200))))?.reason == .badPath)
    }

    @Test("A stopping server closes idle connections, lets exchanges finish, and accepts nobody")
    func graceful() async throws {
        let gate = Gate()
        let began = AsyncStream<Void>.makeStream()
        try await TestServer.run { request in
            guard request.target.path == "/slow" else { return .now(.text(.ok, "hello")) }
            return .later {
                began.continuation.yield()
                await gate.wait()
                return .text(.ok, "finished")
            }
        } _: { server in
            let idle = try await server.connect()
            try await idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = try await idle.read(until: "hello")
            let busy = try await server.connect()
            try await busy.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = await began.stream.first { _ in true }
            async let stopped: Void = server.server.shutdownGracefully(within: .seconds(30))
            #expect(try await idle.readToEnd() == "")
            await #expect(throws: (any Error).self) { try await server.connect() }
            gate.open()
            let answer = try await busy.readToEnd()
            #expect(answer.contains("\r\nConnection: close\r\n") && answer.hasSuffix("finished"))
            await stopped
            #expect(server.server.openConnections == 0)
        }
    }

    @Test("A request that was on its way to a stopping server is answered, on a kept connection and on one that is new")
    func onItsWay() async throws {
        // More than the seconds after which the kernel has repeated a SYN that a closing listener dropped; nobody waits for its end.
        try await TestServer.run(.with { $0.limits.stopTime = .seconds(60) }) { _ in
            .now(.text(.ok, "hello"))
        } _: { server in
            let kept = try await server.connect()
            try await kept.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = try await kept.read(until: "hello")
            let fresh = try await server.connect()
            while server.server.openConnections < 2 { try await Task.sleep(for: .milliseconds(1)) }
            async let stopped: Void = server.server.shutdownGracefully(within: .seconds(60))
            // Slowly: a queue that is full makes the kernel wait a second before it asks again.
            while (try? await server.connect()) != nil { try await Task.sleep(for: .milliseconds(20)) }
            for client in [kept, fresh] {
                try await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                // Whether its connection goes on for a while depends on whether the event loop knows of the stop already.
                #expect(try await client.read(until: "hello").hasSuffix("hello"))
                await client.close()
            }
            await stopped
        }
    }

    @Test("What has not finished at the limit is cut off, and cancelled")
    func limitOfStopping() async throws {
        let began = AsyncStream<Void>.makeStream()
        try await TestServer.run { _ in
            .later {
                began.continuation.yield()
                try? await Task.sleep(for: .seconds(60))
                return .text(.ok, "late")
            }
        } _: { server in
            let client = try await server.connect()
            try await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = await began.stream.first { _ in true }
            await server.server.shutdownGracefully(within: .milliseconds(50))
            #expect(server.server.openConnections == 0)
            #expect(server.observer.all.map(\.isAborted) == [true])
        }
    }
}
