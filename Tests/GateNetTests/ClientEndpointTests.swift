import GateCore
import GateCrypto
import GateHTTP
import GateTesting
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import GateNet

@Suite("The outgoing client: endpoints", .timeLimit(.minutes(1)))
struct ClientEndpointTests {
    private static let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    private static func get(_ target: String = "/") -> StreamedRequest { StreamedRequest(.GET, target) }

    @Test("What is asked for is sent as it is; what a connection says of itself is not passed on")
    func request() async throws {
        try await ScriptedServer.run([.await("\r\n\r\n"), .send(Self.answer), .awaitEnd]) { server in
            try await HTTPClient.run { client in
                let request = StreamedRequest(
                    .DELETE, "/a%2Fb?c=d", authority: "app.example",
                    headers: [
                        "accept": "*/*", "Host": "evil", "Connection": "close, x", "Keep-Alive": "timeout=1", "Proxy-Connection": "close",
                        "Content-Length": "7", "Transfer-Encoding": "chunked", "TE": "gzip", "Upgrade": "h2c", "Expect": "100-continue",
                        "Cookie": "a=b",
                    ],
                    encodedFields: EncodedFields([("X-Gatehouse-User", "u1"), ("X-Gatehouse-Org", "o1")])!, acceptsTrailers: true)
                let text = try await client.to(server.port).text(request)
                #expect(text == "ok")
            }
            #expect(
                server.received[0] == "DELETE /a%2Fb?c=d HTTP/1.1\r\nHost: app.example\r\naccept: */*\r\nCookie: a=b\r\n"
                    + "X-Gatehouse-User: u1\r\nX-Gatehouse-Org: o1\r\nTE: trailers\r\nConnection: TE\r\n\r\n")
        }
    }

    @Test(
        "What would be read as something else is not sent",
        arguments: [
            StreamedRequest(.GET, "/ HTTP/1.1\r\nX: y"), StreamedRequest(.GET, "/ä"), StreamedRequest(.RAW(value: "GE T"), "/"),
            StreamedRequest(.GET, "/", authority: "a\r\nb"), StreamedRequest(.GET, "/", headers: ["a": "b\r\nc: d"]),
            StreamedRequest(.GET, "/", headers: ["a b": "c"]), StreamedRequest(.GET, "/", headers: ["": "c"]),
            StreamedRequest(.GET, "/", headers: ["a": "b\u{0}"]),
        ])
    func unspeakable(_ request: StreamedRequest) async throws {
        try await ScriptedServer.run([.await("\r\n\r\n"), .send(Self.answer), .awaitEnd]) { server in
            try await HTTPClient.run { client in
                let endpoint = client.to(server.port)
                let error = await #expect(throws: OutgoingError.self) { try await endpoint.stream(request) }
                #expect(error?.reason == .badRequest && error?.progress == .nothingSent)
                let text = try await endpoint.text(Self.get())
                #expect(text == "ok", "The connection is as good as new.")
            }
            #expect(server.received == ["GET / HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\n\r\n"])
        }
    }

    @Test(
        "The fields of a response are given as they came, and those that are not to be passed on are named",
        arguments: [
            ("Connection: close, X-Trace ,keep-alive", "close, X-Trace ,keep-alive"), ("Connection: close", nil),
            ("Connection: keep-alive\r\nConnection: Upgrade", nil), ("Connection: a\r\nConnection: b", "a, b"),
        ] as [(String, String?)])
    func fields(_ connection: String, _ options: String?) async throws {
        let fields = "Set-Cookie: a=1\r\nset-cookie:b=2\t\r\nX-Empty:\r\n\(connection)\r\nContent-Length: 2\r\nX-\u{FC}ber: x\r\n"
            .replacing("X-\u{FC}ber: x", with: "X-Uber: \u{FC}")
        try await ScriptedServer.run([.await("\r\n\r\n"), .send("HTTP/1.1 200 OK\r\n" + fields + "\r\nok"), .awaitEnd]) { server in
            try await HTTPClient.run { client in
                let response = try await client.to(server.port).stream(Self.get())
                #expect(response.fields.lines == ByteBuffer(string: fields))
                #expect(response.headers["set-cookie"] == ["a=1", "b=2"] && response.headers["x-empty"] == [""])
                #expect(response.fields.first("x-uber") == "\u{FC}" && response.fields.first("x-other") == nil)
                #expect(response.connectionOptions == options && response.length == 2)
                var passed = ""
                response.fields.forEach { name, _, line in
                    if !StreamedResponse.isHopByHop(name) { passed += String(decoding: line, as: UTF8.self) }
                }
                #expect(passed == "Set-Cookie: a=1\r\nset-cookie:b=2\t\r\nX-Empty:\r\nX-Uber: \u{FC}\r\n")
            }
        }
    }

    @Test("The length of a body that was left out is told", arguments: [(HTTPMethod.HEAD, 200), (.GET, 304)])
    func leftOut(_ method: HTTPMethod, _ status: Int) async throws {
        try await ScriptedServer.run([.await("\r\n\r\n"), .send("HTTP/1.1 \(status) X\r\nContent-Length: 500\r\n\r\n"), .awaitEnd]) {
            server in
            try await HTTPClient.run { client in
                let response = try await client.to(server.port).stream(StreamedRequest(method, "/"))
                #expect(response.length == 500)
                #expect(try await response.text == "")
            }
        }
    }

    @Test(
        "What has come as a whole is given as a whole, and its connection serves others",
        arguments: [
            "Content-Length: 4\r\n\r\nbody", "Transfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n",
        ])
    func whole(_ rest: String) async throws {
        let answer = "HTTP/1.1 200 OK\r\n" + rest
        try await ScriptedServer.run([.await("\r\n\r\n"), .send(answer), .await("\r\n\r\n"), .send(answer), .awaitEnd]) { server in
            try await HTTPClient.run { client in
                let endpoint = client.to(server.port)
                for _ in 0..<2 {
                    let response = try await endpoint.stream(Self.get())
                    guard case .whole(let bytes) = response.body else {
                        Issue.record("\(response.body)")
                        return
                    }
                    #expect(String(buffer: bytes) == "body" && endpoint.requestsInFlight == 0)
                }
            }
            #expect(server.received.count == 1)
        }
    }

    @Test("Chunks that came with the head are given first; those that follow, as they come")
    func chunksAhead() async throws {
        try await ScriptedServer.run([
            .await("\r\n\r\n"), .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n"), .await("more"),
            .send("5\r\nthree\r\n0\r\n\r\n"), .awaitEnd,
        ]) { server in
            try await HTTPClient.run { client in
                let parts = GivenParts()
                let response = try await client.to(server.port).stream(StreamedRequest(.POST, "/", body: .stream(length: nil, parts)))
                #expect(try await response.next() == ByteBuffer(string: "onetwo"))
                parts.give("more")
                #expect(try await response.next() == ByteBuffer(string: "three"))
                #expect(try await response.next() == nil)
            }
        }
    }

    @Test("Asked for again, an endpoint is the same one while somebody holds it; other settings make another")
    func sharing() async throws {
        try await TestServer.run { server in
            try await HTTPClient.run { client in
                let first = client.to(server.port)
                #expect(client.to(server.port) === first)
                for change in [{ $0.connections = 7 }, { $0.serverName = "x" }, { $0.keepAliveTime = .seconds(1) }]
                    as [(inout EndpointSettings) -> Void]
                {
                    #expect(client.to(server.port, change) !== first)
                }
                #expect(client.reaching(.public).to(server.port) !== first)
                for _ in 0..<3 {
                    let text = try await client.to(server.port).text(Self.get())
                    #expect(text == "hello")
                }
                let other = try await client.to(server.port, { $0.connections = 7 }).text(Self.get())
                #expect(other == "hello")
                #expect(await client.connectionCount() == 2)
            }
        }
    }

    @Test("The connections of an endpoint are limited, who waits is limited in time, and what is on its way is counted")
    func limit() async throws {
        try await ScriptedServer.run([.await("\r\n\r\n"), .await("never")]) { server in
            try await HTTPClient.run { client in
                let endpoint = client.to(server.port) {
                    $0.connections = 1
                    $0.connectTime = .milliseconds(100)
                }
                let first = Task { await #expect(throws: OutgoingError.self) { try await endpoint.stream(Self.get()) } }
                _ = try await server.accepted()
                #expect(endpoint.requestsInFlight == 1)
                let error = await #expect(throws: OutgoingError.self) { try await endpoint.stream(Self.get()) }
                #expect(error?.reason == .overloaded && error?.progress == .nothingSent)
                #expect(error?.description == "127.0.0.1:\(server.port): no connection was free within 100ms")
                #expect(try await TestServer.answers(client), "Others are not held up.")
                first.cancel()
                #expect(await first.value?.reason == .cancelled)
                #expect(endpoint.requestsInFlight == 0)
            }
        }
    }

    @Test("Silence before the response, and silence in its body, have limits of their own")
    func silences() async throws {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"
        try await ScriptedServer.run([.await("\r\n\r\n"), .awaitEnd], [.await("\r\n\r\n"), .send(head), .awaitEnd]) { server in
            try await HTTPClient.run { client in
                let endpoint = client.to(server.port)
                let request = StreamedRequest(.GET, "/", responseTime: .milliseconds(200), idleTime: .milliseconds(100))
                let error = await #expect(throws: OutgoingError.self) { try await endpoint.stream(request) }
                #expect(error?.description.hasSuffix("no response came within 200ms") == true && error?.progress == .sent)
                let response = try await endpoint.stream(request)
                #expect(try await response.next() == ByteBuffer(string: "x"))
                // Nobody waits for anything: a reader of ours that is slow is not the server's fault.
                try await Task.sleep(for: .milliseconds(300))
                #expect(endpoint.requestsInFlight == 1)
                await #expect(throws: BodyError.timedOut) { try await response.next() }
                #expect(endpoint.requestsInFlight == 0)
            }
        }
    }

    @Test("Each endpoint has its own trust and its own name for the certificate")
    func trust() async throws {
        let time = ManualTime()
        let certified = try CertifiedKey.selfSigned(for: [CertificateName("app.internal")], at: time.now(), entropy: SeededEntropy())
        let decorator = TLSServerDecorator(certificates: try TLSCertificates(fallback: certified))
        let trusted = TLSClientConfiguration(context: try TLSClientContext(authorities: certified.chain, trustsSystem: false, time: time))
        let strangers = TLSClientConfiguration(context: try TLSClientContext(trustsSystem: true, time: time))
        try await TestServer.run(decorator: decorator) { server in
            try await HTTPClient.run(tls: strangers) { client in
                var settings = EndpointSettings(HTTPURL("https://127.0.0.1:\(server.port)")!)
                for (tls, name, reason) in [
                    (nil, "app.internal", .untrustedCertificate), (trusted, nil, .untrustedCertificate), (trusted, "app.internal", nil),
                    (strangers, "app.internal", .untrustedCertificate),
                ] as [(TLSClientConfiguration?, String?, OutgoingError.Reason?)] {
                    settings.tls = tls
                    settings.serverName = name
                    do throws(OutgoingError) {
                        let response = try await client.endpoint(settings).stream(Self.get())
                        #expect(response.status == .ok && reason == nil)
                    } catch {
                        #expect(error.reason == reason && error.progress == .nothingSent)
                    }
                }
            }
        }
    }

    @Test("Over a Unix socket, with the Host that was asked for")
    func unixSocket() async throws {
        let path = "/tmp/gatehouse-endpoint-\(UInt64.random(in: 0 ... .max)).sock"
        let server = HTTPServer(
            [Listener(.unix(path: path))], responder: ClosureResponder { .now(.text(.ok, $0.authority)) }, observer: RecordingObserver(),
            group: MultiThreadedEventLoopGroup.singleton)
        _ = try await server.start()
        try await HTTPClient.run { client in
            var settings = EndpointSettings(HTTPURL("http://localhost")!)
            settings.socket = path
            let endpoint = client.endpoint(settings)
            let named = try await endpoint.text(StreamedRequest(.GET, "/", authority: "app.example"))
            #expect(named == "app.example")
            let unnamed = try await endpoint.text(Self.get())
            #expect(unnamed == "localhost")
        }
        await server.shutdownGracefully(within: .zero)
    }
}

extension TestServer {
    /// Whether a request to another server is answered.
    static func answers(_ client: HTTPClient) async throws -> Bool {
        var isAnswered = false
        try await run { server in isAnswered = try await client.to(server.port).stream(StreamedRequest(.GET, "/")).text == "hello" }
        return isAnswered
    }
}
