import GateHTTP
import NIOHTTP1
import Testing

private func request(_ method: HTTPMethod, _ headers: HTTPHeaders, authority: String = "app.example.com") -> Request {
    Request(
        id: RequestID(value: 1), method: method, target: RequestTarget("/api/v1/auth/me")!, headers: headers, scheme: .https,
        authority: authority)
}

@Suite("CORS")
struct CORSTests {
    private let policy = CORSPolicy(origins: ["https://www.example.com"])

    @Test("CHECKLIST 14: a listed origin is reflected, with credentials and Vary")
    func listed() {
        var response = Response(.ok)
        policy.decorate(&response, for: request(.GET, ["origin": "https://www.example.com"]))
        #expect(response.headers["access-control-allow-origin"] == ["https://www.example.com"])
        #expect(response.headers["access-control-allow-credentials"] == ["true"])
        #expect(response.headers["vary"] == ["Origin"])
    }

    @Test(
        "CHECKLIST 14: null, unlisted and look-alike origins are not, and Vary stays",
        arguments: [
            "null", "https://evil.example", "https://www.example.com.evil.example", "http://www.example.com", "https://www.example.com:444",
            "*", "",
        ])
    func unlisted(origin: String) {
        var response = Response(.ok)
        policy.decorate(&response, for: request(.GET, ["origin": origin]))
        #expect(response.headers["access-control-allow-origin"].isEmpty)
        #expect(response.headers["vary"] == ["Origin"])
        let preflight = policy.preflight(request(.OPTIONS, ["origin": origin, "access-control-request-method": "POST"]))
        #expect(preflight?.status == .noContent)
        #expect(preflight?.headers["access-control-allow-origin"] == [])
    }

    @Test("a preflight is answered for a listed origin, and OPTIONS without its fields is none")
    func preflight() {
        let response = policy.preflight(request(.OPTIONS, ["origin": "https://www.example.com", "access-control-request-method": "PATCH"]))
        #expect(response?.headers["access-control-allow-origin"] == ["https://www.example.com"])
        #expect(response?.headers.first(name: "access-control-allow-methods")?.contains("PATCH") == true)
        let plain = policy.preflight(request(.OPTIONS, ["origin": "https://www.example.com"]))
        #expect(plain.map(\.status) == nil)
    }
}

@Suite("Cross-site rule")
struct CrossSiteRuleTests {
    private let rule = CrossSiteRule(ownOrigin: "https://app.example.com", allowed: CORSPolicy(origins: ["https://www.example.com"]))

    @Test(
        "CHECKLIST 12: an unsafe request with the cookie must say that it is ours",
        arguments: [
            (["origin": "https://app.example.com"], true), (["sec-fetch-site": "same-origin"], true),
            (["origin": "https://app.example.com", "sec-fetch-site": "same-origin"], true), (["origin": "https://www.example.com"], true),
            (["origin": "https://www.example.com", "sec-fetch-site": "same-site"], true),
            ([:], false), (["origin": "null"], false), (["origin": "https://evil.example"], false),
            (["origin": "https://app.example.com", "sec-fetch-site": "cross-site"], false), (["sec-fetch-site": "same-site"], false),
            (["sec-fetch-site": "cross-site"], false), (["sec-fetch-site": "none"], false), (["origin": "http://app.example.com"], false),
            (["referer": "https://app.example.com/"], false),
        ] as [(HTTPHeaders, Bool)])
    func unsafe(headers: HTTPHeaders, expected: Bool) {
        for method in [HTTPMethod.POST, .PUT, .PATCH, .DELETE] { #expect(rule.permits(request(method, headers)) == expected) }
    }

    @Test("two Origin fields are refused, whichever comes first")
    func twoOrigins() {
        let headers = HTTPHeaders([("origin", "https://app.example.com"), ("origin", "https://evil.example")])
        #expect(!rule.permits(request(.POST, headers)))
    }

    @Test("reading needs nothing", arguments: [HTTPMethod.GET, .HEAD, .OPTIONS])
    func safe(method: HTTPMethod) { #expect(rule.permits(request(method, ["origin": "https://evil.example"]))) }

    @Test("without a public URL, the origin that the request itself was sent to is ours")
    func ownAuthority() {
        #expect(rule.permits(request(.POST, ["origin": "https://127.0.0.1:8080"], authority: "127.0.0.1:8080")))
        #expect(!rule.permits(request(.POST, ["origin": "https://127.0.0.1:8080"], authority: "127.0.0.1:8081")))
    }
}
