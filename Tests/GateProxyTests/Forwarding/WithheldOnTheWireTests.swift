import GateAccess
import GateCore
import GateCrypto
import GateHTTP
import GateIdentity
import GateLimits
import GateNet
import GateTesting
import NIOHTTP1
import NIOPosix
import Testing

@testable import GateProxy

/// From a client's socket by way of the doorkeeper to the application's.
@Suite("What is withheld from an application is not in the bytes that it gets", .timeLimit(.minutes(1)))
struct WithheldOnTheWireTests {
    private struct Guarded: Responder {
        let doorkeeper: Doorkeeper
        let door: Door
        let handler: UpstreamHandler

        func respond(to request: Request) -> Answer {
            switch doorkeeper.admit(request, at: door) {
            case .admitted(let admitted): return handler.answer(admitted)
            case .refused(let response): return .now(response)
            case .later(let find):
                return .later {
                    switch await find().known {
                    case .admitted(let admitted): await handler.answer(admitted).response
                    case .refused(let response): response
                    case .later: Response(.internalServerError)
                    }
                }
            }
        }
    }

    private struct Silent: ExchangeObserver {
        func finished(_ exchange: Exchange) {}
    }

    /// A server in front of an application of which one server refuses every connection.
    private static func serve(
        _ access: AccessRule, _ body: (_ accounts: IdentityFixture, _ port: Int, _ application: StandIn, _ rig: Rig) async throws -> Void
    ) async throws {
        let application = try await StandIn()
        try await IdentityFixture.with { accounts in
            try await Rig.run(ports: [try await StandIn.freePort(), application.port]) { (rig: Rig) async throws in
                let doorkeeper = Doorkeeper(
                    identity: accounts.identity, limits: RequestLimits(store: MemoryLimitStore(time: accounts.time), policies: [:]),
                    assertions: AssertionIssuer(
                        issuer: "http://gate.test", keys: SigningKeyRing(current: SigningKeyFixture.make("assertions", .edDSA, seed: 12))),
                    cookie: SessionCookie(isSecure: true), cors: CORSPolicy(origins: []), publicURL: "https://gate.test",
                    time: accounts.time, log: rig.log.logger)
                let door = Door(name: "app.test/", access: access, policies: [])
                let server = HTTPServer(
                    [Listener(.tcp(host: "127.0.0.1", port: 0))],
                    responder: Guarded(doorkeeper: doorkeeper, door: door, handler: rig.handler), observer: Silent(),
                    group: MultiThreadedEventLoopGroup.singleton)
                let port = try await server.start()[0].port!
                let result = await Result { try await body(accounts, port, application, rig) }
                await server.shutdownGracefully(within: .zero)
                try result.get()
            }
        }
    }

    /// The lines of a head under that name, as CGI reads names.
    private static func values(of name: String, in head: String) -> [String] {
        head.split(separator: "\r\n").dropFirst().compactMap { line in
            let parts = line.split(separator: ": ", maxSplits: 1)
            return parts[0].lowercased().replacing("_", with: "-") == name ? String(parts[1]) : nil
        }
    }

    @Test("whoever may pass, at the first server and at the next", arguments: [AccessRule.everyone, .optional, .signedIn])
    func withheld(access: AccessRule) async throws {
        try await Self.serve(access) { accounts, port, application, rig in
            let ann = try await accounts.register()
            let session = "__Host-gatehouse=\(ann.cookieToken.text)"
            let sent = [
                "GET / HTTP/1.1", "Host: app.test", "Cookie: a=1; \(session)", "x_gatehouse_user: forged", "X-Gatehouse-User: forged",
                "X-GATEHOUSE_Roles: forged", "Authorization: Bearer \(ann.accessToken.text)", "X-Other: kept", "Cookie: \(session); b=2",
            ]
            let client = try await Conversation.connect(port: port)
            // They take turns, so one of two requests goes to the server first that refuses.
            for _ in 0..<2 {
                try await client.send(sent.joined(separator: "\r\n") + "\r\n\r\n")
                let connection = try await application.accept()
                let head = try await connection.head()
                #expect(head.contains("X-Other: kept\r\n"))
                #expect(Self.values(of: "cookie", in: head) == ["a=1; b=2"])
                #expect(Self.values(of: "authorization", in: head) == [])
                let user = ann.profile.user.id.description
                #expect(Self.values(of: "x-gatehouse-user", in: head) == (access == .everyone ? [] : [user]))
                for secret in [ann.cookieToken.text, ann.accessToken.text, "forged"] { #expect(!head.contains(secret)) }
                try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
                #expect(try await client.read(until: "\r\n\r\nok").hasPrefix("HTTP/1.1 200 OK\r\n"))
            }
            #expect(rig.upstream.reports[0].failures > 0, "No request had to be sent again.")
        }
    }
}
