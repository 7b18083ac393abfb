import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1
import Testing

@testable import GateNet

@Suite("The outgoing client: upgrades and tunnels", .timeLimit(.minutes(1)))
struct ClientUpgradeTests {
    private static let agreed = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\nX: y\r\n\r\n"

    private static func request(idleTime: Duration = .seconds(10)) -> StreamedRequest {
        StreamedRequest(
            .GET, "/chat", headers: ["sec-websocket-key": "k", "connection": "x", "upgrade": "other"], upgrade: "websocket",
            responseTime: .seconds(10), idleTime: idleTime)
    }

    private static func tunnel(_ response: StreamedResponse) throws -> any Tunnel {
        guard case .tunnel(let tunnel) = response.body else { throw OutgoingError(.badResponse, "\(response)") }
        return tunnel
    }

    @Test("Bytes go through in both directions, also those that came with the head, until both have ended")
    func bothWays() async throws {
        try await ScriptedServer.run([
            .await("\r\n\r\n"), .send(Self.agreed + "early"), .await("ping"), .send("pong"), .awaitEnd, .send("last words"), .close,
        ]) { server in
            try await HTTPClient.run { client in
                let endpoint = client.to(server.port)
                let response = try await endpoint.stream(Self.request())
                #expect(response.status == .switchingProtocols && response.fields.first("x") == "y")
                let tunnel = try Self.tunnel(response)
                #expect(try await tunnel.next() == ByteBuffer(string: "early"))
                try await tunnel.write(ByteBuffer(string: "ping"))
                #expect(try await tunnel.next() == ByteBuffer(string: "pong"))
                #expect(endpoint.requestsInFlight == 1)
                try await tunnel.finish()
                await #expect(throws: BodyError.disconnected) { try await tunnel.write(ByteBuffer(string: "too late")) }
                #expect(try await tunnel.next() == ByteBuffer(string: "last words"), "The other direction went on.")
                #expect(try await tunnel.next() == nil)
                #expect(endpoint.requestsInFlight == 0)
                #expect(await client.connectionCount() == 0)
            }
            let asked = server.received[0]
            #expect(asked.contains("Connection: upgrade\r\nUpgrade: websocket\r\n") && asked.contains("sec-websocket-key: k\r\n"))
            #expect(!asked.contains("connection: x") && !asked.contains("upgrade: other"))
        }
    }

    @Test("The server may end first")
    func serverEndsFirst() async throws {
        try await ScriptedServer.run([.await("\r\n\r\n"), .send(Self.agreed + "bye"), .close]) { server in
            try await HTTPClient.run { client in
                let endpoint = client.to(server.port)
                let tunnel = try Self.tunnel(try await endpoint.stream(Self.request()))
                #expect(try await tunnel.next() == ByteBuffer(string: "bye"))
                #expect(try await tunnel.next() == nil)
                #expect(endpoint.requestsInFlight == 1, "Our direction is still open.")
                try? await tunnel.finish()
                #expect(try await tunnel.next() == nil)
                while endpoint.requestsInFlight > 0 { await Task.yield() }
                #expect(await client.connectionCount() == 0)
            }
        }
    }

    @Test("A cut tunnel is told from one that ended")
    func cut() async throws {
        try await ScriptedServer.run([.await("\r\n\r\n"), .send(Self.agreed), .await("x"), .reset]) { server in
            try await HTTPClient.run { client in
                let tunnel = try Self.tunnel(try await client.to(server.port).stream(Self.request()))
                try await tunnel.write(ByteBuffer(string: "x"))
                await #expect(throws: BodyError.disconnected) { _ = try await tunnel.next() }
                await #expect(throws: BodyError.disconnected) { try await tunnel.write(ByteBuffer(string: "y")) }
            }
        }
    }

    @Test("Letting go of a tunnel breaks it off")
    func lettingGo() async throws {
        try await ScriptedServer.run([.await("\r\n\r\n"), .send(Self.agreed), .awaitEnd]) { server in
            try await HTTPClient.run { client in
                let endpoint = client.to(server.port)
                _ = try Self.tunnel(try await endpoint.stream(Self.request()))
                #expect(await server.ended.first { _ in true } == 0)
                #expect(await client.connectionCount() == 0 && endpoint.requestsInFlight == 0)
            }
        }
    }

    @Test("A tunnel in which nothing moves is ended; what moves in one direction keeps both")
    func idle() async throws {
        try await ScriptedServer.run([.await("\r\n\r\n"), .send(Self.agreed), .awaitEnd]) { server in
            try await HTTPClient.run { client in
                let tunnel = try Self.tunnel(try await client.to(server.port).stream(Self.request(idleTime: .milliseconds(300))))
                let reader = Task { () async -> BodyError? in
                    do throws(BodyError) {
                        _ = try await tunnel.next()
                        return nil
                    } catch {
                        return error
                    }
                }
                for _ in 0..<8 {
                    try await Task.sleep(for: .milliseconds(50))
                    try await tunnel.write(ByteBuffer(string: "x"))
                }
                #expect(await reader.value == .timedOut)
                await #expect(throws: BodyError.timedOut) { try await tunnel.write(ByteBuffer(string: "y")) }
            }
            _ = await server.ended.first { _ in true }
            #expect(server.received[0].hasSuffix("xxxxxxxx"), "Eight writes took longer than the limit, together.")
        }
    }

    @Test("A server that takes nothing slows its writer, and megabytes arrive in order")
    func backPressure() async throws {
        let text = (0..<64).map { String(repeating: "\($0 % 10)", count: 64 << 10) }
        try await ScriptedServer.run([.await("\r\n\r\n"), .send(Self.agreed), .await("end"), .send("got it"), .close]) { server in
            try await HTTPClient.run { client in
                let tunnel = try Self.tunnel(try await client.to(server.port).stream(Self.request()))
                for part in text { try await tunnel.write(ByteBuffer(string: part)) }
                try await tunnel.write(ByteBuffer(string: "end"))
                #expect(try await tunnel.next() == ByteBuffer(string: "got it"))
            }
            #expect(server.received[0].hasSuffix(text.joined() + "end"))
        }
    }

    @Test("A server that does not agree answers as always, and the connection goes on")
    func refused() async throws {
        let refusal = "HTTP/1.1 426 Upgrade Required\r\nUpgrade: other\r\nConnection: upgrade\r\nContent-Length: 2\r\n\r\nno"
        try await ScriptedServer.run([.await("\r\n\r\n"), .send(refusal), .await("\r\n\r\n"), .send(refusal), .awaitEnd]) { server in
            try await HTTPClient.run { client in
                let endpoint = client.to(server.port)
                for _ in 0..<2 {
                    let response = try await endpoint.stream(Self.request())
                    #expect(response.status == .upgradeRequired && response.connectionOptions == nil)
                    #expect(try await response.text == "no")
                }
            }
        }
    }

    @Test(
        "A switch that nobody asked for, or to something else, is no response",
        arguments: [
            "HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", "HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n",
            "HTTP/1.1 101 X\r\nConnection: upgrade\r\n\r\n", "HTTP/1.0 101 X\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
            "HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n\r\n",
        ])
    func wrongSwitch(_ answer: String) async throws {
        try await ScriptedServer.run([.await("\r\n\r\n"), .send(answer), .awaitEnd]) { server in
            try await HTTPClient.run { client in
                let error = await #expect(throws: OutgoingError.self) { try await client.to(server.port).stream(Self.request()) }
                #expect(error?.reason == .badResponse && error?.progress == .responseBegun)
                #expect(await client.connectionCount() == 0)
            }
        }
    }

    @Test("No more of a tunnel is read than is asked for")
    func readsOnDemand() async throws {
        let flood = String(repeating: "x", count: 8 << 20)
        try await ScriptedServer.run([.await("\r\n\r\n"), .send(Self.agreed), .send(flood), .awaitEnd]) { server in
            try await HTTPClient.run { client in
                let tunnel = try Self.tunnel(try await client.to(server.port).stream(Self.request()))
                var size = 0
                while size < flood.utf8.count, let part = try await tunnel.next() {
                    // What is read ahead is bounded, so no part can be much larger.
                    #expect(part.readableBytes <= 256 << 10)
                    size += part.readableBytes
                }
                #expect(size == flood.utf8.count)
            }
        }
    }
}
