import GateAccess
import GateHTTP
import NIOHTTP1
import Testing

@testable import GateProxy

@Suite("Redirects and fixed answers")
struct RedirectHandlerTests {
    private func answer(_ handler: some RouteHandler, _ target: String, host: String, _ method: HTTPMethod = .GET) async -> Response {
        let request = Request(id: RequestID(value: 1), method: method, target: RequestTarget(target)!, authority: host)
        return await handler.answer(AdmittedRequest(withholdingNothingOf: request)).response
    }

    @Test(
        "A redirect takes the path, the query and the host along where it is told to",
        arguments: [
            ("https://new.test{uri}", "/a?b=c", "old.test", "https://new.test/a?b=c"),
            ("https://new.test/", "/a", "old.test", "https://new.test/"),
            ("https://{host}{uri}", "/a", "old.test:8080", "https://old.test/a"),
            ("https://{host}:8443{uri}", "/", "[::1]:80", "https://[::1]:8443/"),
            ("/x{uri}?from={host}", "/a", "old.test", "/x/a?from=old.test"), ("{uri}", "/a", "old.test", "/a"),
            ("https://new.test/{other}{", "/", "old.test", "https://new.test/{other}{"), ("/{uri}", "/a", "old.test", nil),
            ("{uri}", "//evil.test/a", "old.test", nil), ("{uri}", "/\\evil.test/a", "old.test", nil), ("https://{host}/", "/", "", nil),
            ("//new.test{uri}", "/a", "old.test", "//new.test/a"), ("//{uri}", "/evil.test", "old.test", nil),
            ("https://new.test{uri}", "//evil.test/", "old.test", "https://new.test//evil.test/"),
        ] as [(String, String, String, String?)])
    func location(_ template: String, _ target: String, _ host: String, _ location: String?) async {
        let response = await answer(RedirectHandler(RedirectRules(location: template), baseURL: ""), target, host: host)
        #expect(response.headers.first(name: "location") == location)
        #expect(response.status == (location == nil ? .badRequest : .permanentRedirect))
    }

    @Test("The status is the operator's", arguments: [301, 302, 303, 307, 308])
    func status(_ status: Int) async {
        var rules = RedirectRules(location: "/")
        rules.status = status
        #expect(await answer(RedirectHandler(rules, baseURL: ""), "/", host: "a", .POST).status.code == UInt(status))
    }

    @Test("A fixed answer is the same for every method and path", arguments: [HTTPMethod.GET, .HEAD, .POST, .DELETE])
    func fixed(_ method: HTTPMethod) async throws {
        var rules = FixedAnswer()
        rules.status = 418
        rules.contentType = "text/html"
        rules.body = "short"
        let read = try await FileAnswer(answer(FixedHandler(rules), "/any", host: "a", method))
        #expect(read.status == 418 && read.text == "short" && read["content-type"] == "text/html")
        rules.status = 204
        let empty = try await FileAnswer(answer(FixedHandler(rules), "/any", host: "a", method))
        #expect(empty.status == 204 && empty.text.isEmpty && empty["content-type"] == nil)
    }
}
