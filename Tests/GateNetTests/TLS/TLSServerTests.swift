import GateCore
import GateCrypto
import GateHTTP
import GateTesting
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@testable import GateNet

@Suite("HTTPS", .serialized)
struct TLSServerTests {
    private static let request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

    @Test("A request is answered, its scheme known", arguments: [TLSHandshake.Version.tls12, .tls13])
    func answer(_ version: TLSHandshake.Version) async throws {
        try await TLSTestServer.run { request in
            .now(.text(.ok, "\(request.scheme)"))
        } _: { server in
            let client = try await server.connect(newest: version)
            try await client.send(Self.request)
            #expect(try await client.read(until: "https").hasPrefix("HTTP/1.1 200 OK"))
            guard case .success(let handshake)? = await server.handshakes.next() else {
                Issue.record("no handshake")
                return
            }
            #expect(handshake.version == version && handshake.serverName == "localhost")
        }
    }

    @Test("A request that comes with the end of the client's direction is answered", arguments: [TLSHandshake.Version.tls12, .tls13])
    func lastRequest(_ version: TLSHandshake.Version) async throws {
        try await TLSTestServer.run { server in
            for _ in 0..<20 {
                let client = try await server.connect(newest: version)
                try await client.send(Self.request)
                _ = try await client.read(until: "hello")
                try await client.sendLast(Self.request)
                #expect(try await client.readToEnd().hasSuffix("hello"))
                #expect(try await client.error() == nil)
            }
        }
    }

    @Test("Bodies of many records go both ways whole")
    func large() async throws {
        let body = SeededEntropy().bytes(3 << 20)
        try await TLSTestServer.run { request in
            .later {
                guard let received = try? await request.body.collect(upTo: 8 << 20) else { return .text(.badRequest, "broken") }
                return Response(.ok, body: .bytes(received))
            }
        } _: { server in
            let client = try await server.connect()
            try await client.send("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: \(body.count)\r\n\r\n")
            try await client.send(body)
            let answer = try await client.readBytesToEnd()
            #expect(answer.suffix(body.count) == body[...])
            let error = try await client.error()
            #expect(error == nil, "It ends with close_notify, not with \(String(describing: error)).")
        }
    }

    @Test("Requests sent at once are answered in order")
    func pipelined() async throws {
        try await TLSTestServer.run { request in
            .now(.text(.ok, "<\(request.target.path)>"))
        } _: { server in
            let client = try await server.connect()
            try await client.send((0..<200).map { "GET /\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
            let answers = try await client.read(until: "</199>")
            #expect(answers.split(separator: "<").dropFirst().map { $0.prefix { $0 != ">" } } == (0..<200).map { "/\($0)" })
        }
    }

    @Test("The end of the input (close_notify) is no end of the answer; a cut is the end of both")
    func halfClosure() async throws {
        let gate = Gate()
        let began = AsyncStream<Void>.makeStream()
        try await TLSTestServer.run { request in
            .later {
                began.continuation.yield()
                await gate.wait()
                return .text(.ok, "finished")
            }
        } _: { server in
            let client = try await server.connect()
            try await client.send(Self.request)
            _ = await began.stream.first { _ in true }
            try await client.endInput()
            gate.open()
            #expect(try await client.readToEnd().hasSuffix("finished"))
            #expect(try await client.error() == nil)
        }
    }

    @Test("A response whose body breaks off does not end as a whole one does")
    func brokenResponse() async throws {
        struct Broken: Error {}
        try await TLSTestServer.run { _ in
            .now(
                Response(
                    .ok,
                    body: .stream(length: nil) { writer in
                        try await writer.write(ByteBuffer(string: "half"))
                        throw Broken()
                    }))
        } _: { server in
            // HTTP/1.0: the body ends where the connection does.
            let client = try await server.connect()
            try await client.send("GET / HTTP/1.0\r\n\r\n")
            #expect(try await client.readToEnd().hasSuffix("half"))
            #expect(try await client.error() as? TLSError == .truncated)
        }
    }

    @Test("Plain HTTP on the port is told so", arguments: ["GET", "POST", "HEAD"])
    func plainHTTP(_ method: String) async throws {
        try await TLSTestServer.run { server in
            let client = try await server.connectPlain()
            try await client.send("\(method) / HTTP/1.1\r\nHost: a\r\n\r\n")
            let answer = try await client.read(until: "HTTPS")
            #expect(answer.hasPrefix("HTTP/1.1 400 Bad Request\r\n") && answer.contains("Connection: close"))
            #expect(await server.handshakes.next() == .failure(.plainHTTP))
        }
    }

    @Test(
        "CHECKLIST 38: a handshake of acme-tls/1 waits for a challenge that was presented elsewhere; no other handshake does",
        .timeLimit(.minutes(1)))
    func challengeOfAnotherInstance() async throws {
        let asked = Mutex<[String]>([])
        try await TLSTestServer.run(
            protocols: [.http2, .http1],
            challenges: ChallengeSearch { name in
                asked.withLock { $0.append(name) }
                // Another task has its turn, and with it whatever the client may send meanwhile.
                await Task.yield()
                return name == "localhost" ? TestCertificates.other : nil
            }
        ) { server in
            for version in ["-tls1_2", "-tls1_3"] {
                let answer = server.openssl("-servername localhost -alpn acme-tls/1 \(version)")
                #expect(answer.contains("ALPN protocol: acme-tls/1"), "\(answer)")
                #expect(server.openssl("-servername unknown.test -alpn acme-tls/1 \(version)").contains("alert number 120"))
            }
            #expect(asked.withLock { $0 } == ["localhost", "unknown.test", "localhost", "unknown.test"])
            // One that was presented here is known.
            try server.certificates.present(TestCertificates.other, for: "here.test")
            #expect(server.openssl("-servername here.test -alpn acme-tls/1").contains("ALPN protocol: acme-tls/1"))
            #expect(server.openssl("-servername localhost -alpn http/1.1").contains("ALPN protocol: http/1.1"))
            #expect(server.openssl("-servername localhost -alpn http/1.1,acme-tls/1").contains("ALPN protocol: http/1.1"))
            #expect(server.openssl("-noservername -alpn acme-tls/1").contains("alert number 120"))
            #expect(asked.withLock { $0.count } == 4)
        }
    }

    @Test("a client that leaves while its challenge is looked for, or sends on and on, harms nobody", .timeLimit(.minutes(1)))
    func leavingDuringTheSearch() async throws {
        let reached = AsyncStream<Void>.makeStream()
        let goOn = AsyncStream<Void>.makeStream()
        try await TLSTestServer.run(
            challenges: ChallengeSearch { _ in
                reached.continuation.yield()
                for await _ in goOn.stream { break }
                return TestCertificates.other
            }
        ) { server in
            for leaves in [true, false] {
                let client = try await server.connectPlain()
                try await client.send(try Self.challengeHello())
                for await _ in reached.stream { break }
                // Behind it comes what no handshake has.
                if !leaves { try await client.send([UInt8](repeating: 0x16, count: 32 << 10)) }
                if leaves { await client.close() }
                goOn.continuation.yield()
                guard case .failure = await server.handshakes.next() else {
                    Issue.record("that was no handshake")
                    return
                }
            }
            #expect(server.openssl("-servername localhost -alpn http/1.1").contains("ALPN protocol: http/1.1"))
        }
    }

    private static func challengeHello() throws -> [UInt8] {
        let context = try TLSClientContext(authorities: nil, trustsSystem: false)
        let client = try TLSEngine(client: context, host: "a.test", protocols: ["acme-tls/1"])
        var input = UnsafeRawBufferPointer(start: nil, count: 0)
        _ = try client.shakeHands(&input)
        return client.takeOutput()
    }

    @Test("acme-tls/1 is answered for presented names alone, with their certificate, and closed")
    func challenge() async throws {
        try await TLSTestServer.run { server in
            try server.certificates.present(TestCertificates.other, for: "localhost")
            let answer = server.openssl("-servername localhost -alpn acme-tls/1")
            #expect(answer.contains("ALPN protocol: acme-tls/1"), "\(answer)")
            #expect(answer.contains(TestCertificates.other.leaf.subject ?? "none"))
            let unknown = server.openssl("-servername unknown.test -alpn acme-tls/1")
            #expect(unknown.contains("alert number 120"), "\(unknown)")
            server.certificates.withdraw("localhost")
            #expect(server.openssl("-servername localhost -alpn acme-tls/1").contains("alert number 120"))
            #expect(server.observer.all.isEmpty)
        }
    }

    @Test("CHECKLIST 39: a certificate exchanged under traffic serves the next handshake; connections stay")
    func swap() async throws {
        try await TLSTestServer.run { server in
            let kept = try await server.connect()
            try await kept.send(Self.request)
            _ = try await kept.read(until: "hello")
            for round in 0..<20 {
                let certified = round % 2 == 0 ? TestCertificates.renewed : TestCertificates.localhost
                try server.certificates.serve([certified, TestCertificates.other], fallback: certified)
                // Only the renewed certificate is for this name: its client verifies.
                if round % 2 == 0 {
                    let fresh = try await server.connect("renewed.test")
                    try await fresh.send(Self.request)
                    #expect(try await fresh.read(until: "hello").hasPrefix("HTTP/1.1 200 OK"))
                }
                let wild = try await server.connect("any.wild.test")
                try await wild.send(Self.request)
                #expect(try await wild.read(until: "hello").hasPrefix("HTTP/1.1 200 OK"))
                try await kept.send(Self.request)
                #expect(try await kept.read(until: "hello").hasPrefix("HTTP/1.1 200 OK"))
            }
        }
    }
}
