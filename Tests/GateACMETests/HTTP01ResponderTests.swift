import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1
import Testing

@testable import GateACME

@Suite("Answers of HTTP-01")
struct HTTP01ResponderTests {
    private struct Application: Responder {
        func respond(to request: Request) -> Answer { .now(.text(.forbidden, "application")) }
    }

    private func ask(_ challenges: HTTP01Challenges, _ target: String, _ method: HTTPMethod = .GET) throws -> (UInt, String) {
        let request = Request(id: RequestID(value: 1), method: method, target: try #require(RequestTarget(target)))
        guard case .now(let response) = HTTP01Responder(challenges, before: Application()).respond(to: request) else { return (0, "") }
        guard case .bytes(let body) = response.body else { return (response.status.code, "") }
        return (response.status.code, String(buffer: body))
    }

    @Test("CHECKLIST 38: the challenge answers before everything else, for its own tokens only, as long as it is presented")
    func answers() throws {
        let challenges = HTTP01Challenges()
        let path = "/.well-known/acme-challenge/abc-DEF_1"
        #expect(try ask(challenges, path) == (403, "application"))
        challenges.present(token: "abc-DEF_1", keyAuthorization: "abc-DEF_1.thumb")
        #expect(try ask(challenges, path) == (200, "abc-DEF_1.thumb"))
        #expect(try ask(challenges, path, .HEAD) == (200, "abc-DEF_1.thumb"))
        #expect(try ask(challenges, path + "?x=1") == (200, "abc-DEF_1.thumb"))
        for other in [
            "/.well-known/acme-challenge/", "/.well-known/acme-challenge", "/.well-known/acme-challenge/abc", path + "/", path + "x",
            "/x" + path, "//.well-known/acme-challenge/abc-DEF_1", "/.well-known/acme-challenge/../acme-challenge/abc-DEF_1",
            "/.well-known/acme-challenge/abc%2dDEF_1", "/.WELL-KNOWN/acme-challenge/abc-DEF_1",
        ] { #expect(try ask(challenges, other) == (403, "application"), "\(other)") }
        #expect(try ask(challenges, path, .POST) == (403, "application"))
        challenges.withdraw(token: "abc-DEF_1")
        #expect(try ask(challenges, path) == (403, "application"))
    }
}
