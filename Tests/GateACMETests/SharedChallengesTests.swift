import GateCore
import GateCrypto
import GateHTTP
import GateTesting
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@testable import GateACME

@Suite("Challenges of other instances")
struct SharedChallengesTests {
    /// One that may be away, and counts who looks.
    private final class Board: ChallengeBoard {
        private struct State {
            var posted: [PostedChallenge] = []
            var looks = 0
            var isAway = false
        }
        private let state = Mutex(State())

        var looks: Int { state.withLock { $0.looks } }
        func go() { state.withLock { $0.isAway = true } }

        func post(_ challenge: PostedChallenge, until end: Timestamp, at now: Timestamp) async throws {
            state.withLock { $0.posted.append(challenge) }
        }
        func withdraw(_ challenge: PostedChallenge) async throws { state.withLock { $0.posted.removeAll { $0 == challenge } } }
        func posted(at now: Timestamp) async throws -> [PostedChallenge] {
            try state.withLock { state in
                state.looks += 1
                if state.isAway { throw StorageError.unavailable(reason: "away") }
                return state.posted
            }
        }
    }

    private struct Application: Responder {
        func respond(to request: Request) -> Answer { .now(.text(.forbidden, "application")) }
    }

    private func status(_ responder: HTTP01Responder, _ path: String, _ method: HTTPMethod = .GET) async throws -> UInt {
        let request = Request(id: RequestID(value: 1), method: method, target: try #require(RequestTarget(path)))
        switch responder.respond(to: request) {
        case .now(let response): return response.status.code
        case .later(let respond): return await respond().status.code
        case .pending: return 0
        }
    }

    private let time = ManualTime()
    private let board = Board()
    private var shared: SharedChallenges {
        SharedChallenges(board, time: time, entropy: SeededEntropy(seed: 1)) { [time] in time.advance(by: $0) }
    }

    @Test("CHECKLIST 38: a challenge that another instance has posted is answered, for its own token only, until it is withdrawn")
    func answered() async throws {
        let (here, there) = (shared, shared)
        let http = PresentedChallenge.http01(name: "a.test", token: "token", keyAuthorization: "token.thumb")
        try await there.post(http)
        #expect(await here.keyAuthorization(of: "token") == "token.thumb")
        for other in ["toke", "token.", "token.thumb", "Token", ""] { #expect(await here.keyAuthorization(of: other[...]) == nil) }
        #expect(await here.certificate(for: "a.test") == nil, "it is not of that kind")
        await there.withdraw(http)
        #expect(await here.keyAuthorization(of: "token") == nil)
    }

    @Test("the certificate of TLS-ALPN-01 is made here, from what the other instance has posted", arguments: ["b.test", "192.0.2.7"])
    func handshake(name: String) async throws {
        let name = try CertificateName(name)
        let (here, there) = (shared, shared)
        let certified = try CertifiedKey.tlsALPN01Challenge(
            for: name, keyAuthorization: "token.thumb", at: time.now(), entropy: SeededEntropy(seed: 2))
        try await there.post(.tlsALPN01(name: name, keyAuthorization: "token.thumb", certified))
        let found = try #require(await here.certificate(for: name.serverName))
        #expect(found.leaf.names == certified.leaf.names && found.key != certified.key)
        #expect(await here.certificate(for: "c.test") == nil)
        #expect(await here.keyAuthorization(of: "token") == nil, "it is not of that kind")
    }

    @Test("CHECKLIST 38: however many ask for whatever, there is one look in 200 ms, and each sees what was posted before it asked")
    func flood() async throws {
        let shared = shared
        let begun = time.monotonic()
        for round in 0..<20 {
            try await shared.post(.http01(name: "a.test", token: "t\(round)", keyAuthorization: "t\(round).thumb"))
            await withTaskGroup(of: Bool.self) { group in
                for number in 0..<50 {
                    group.addTask { await shared.keyAuthorization(of: "hostile-\(number)") == nil }
                    group.addTask { await shared.keyAuthorization(of: "t\(round)"[...]) == "t\(round).thumb" }
                }
                for await isRight in group { #expect(isRight) }
            }
        }
        let passed = time.monotonic().since(begun)
        #expect(board.looks <= 1 + Int(passed / SharedChallenges.interval))
        // At the most two for each round: that which runs, and that which all others wait for.
        #expect(board.looks <= 40)
    }

    @Test("with the database away nobody waits for ever, and nothing is believed")
    func away() async throws {
        let shared = shared
        try await shared.post(.http01(name: "a.test", token: "t", keyAuthorization: "t.thumb"))
        board.go()
        #expect(await shared.keyAuthorization(of: "t") == nil)
    }

    @Test("what cannot be a token is not looked for, and what is none of ours passes on")
    func passing() async throws {
        let shared = shared
        let responder = HTTP01Responder(HTTP01Challenges(), shared: shared, before: Application())
        let token = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"
        for path in [
            "/.well-known/acme-challenge/", "/.well-known/acme-challenge/a%2d", "/.well-known/acme-challenge/a/b", "/x/\(token)",
            "/.well-known/acme-challenge/" + String(repeating: "a", count: 257), "/.well-known/acme-challenge/a=",
        ] { #expect(try await status(responder, path) == 403) }
        #expect(try await status(responder, "/.well-known/acme-challenge/\(token)", .POST) == 403)
        #expect(board.looks == 0)
        #expect(try await status(responder, "/.well-known/acme-challenge/\(token)") == 403)
        #expect(board.looks == 1)
        try await shared.post(.http01(name: "a.test", token: token, keyAuthorization: "\(token).thumb"))
        #expect(try await status(responder, "/.well-known/acme-challenge/\(token)") == 200)
    }
}
