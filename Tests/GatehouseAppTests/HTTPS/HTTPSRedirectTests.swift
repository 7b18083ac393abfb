import GateHTTP
import GateProxy
import GatehouseApp
import NIOHTTP1
import Testing

@Suite("The redirect to HTTPS")
struct HTTPSRedirectTests {
    private struct Echo: Responder {
        func respond(to request: Request) -> Answer { .now(.text(.ok, "api \(request.target.path)")) }
    }

    private func answer(
        _ host: String, _ target: String, _ method: HTTPMethod = .GET,
        publicURL: WebOrigin = WebOrigin(scheme: .https, host: "a.test", port: 443),
        scheme: Request.Scheme = .http
    ) async -> Response {
        let redirect = HTTPSRedirect(to: publicURL, names: ["a.test", "www.a.test"], api: Echo())
        return await redirect.respond(
            to: Request(
                id: RequestID(value: 1), method: method, target: RequestTarget(target)!, headers: ["host": host], scheme: scheme,
                authority: host)
        ).response
    }

    static let locations: [(host: String, target: String, location: String)] = [
        ("a.test", "/", "https://a.test/"),
        ("a.test:80", "/x?y=1&z=%20", "https://a.test/x?y=1&z=%20"),
        ("www.a.test", "/x", "https://www.a.test/x"),
        ("a.test.", "/x", "https://a.test/x"),
        // Kept exactly: no reading of dots, slashes or percent signs.
        ("a.test", "//evil.test/%2e%2e/../;a", "https://a.test//evil.test/%2e%2e/../;a"),
        ("a.test", "/?next=https://evil.test", "https://a.test/?next=https://evil.test"),
        // Hosts that are not ours lead to the public URL.
        ("evil.test", "/x", "https://a.test/x"),
        ("192.0.2.1", "/x", "https://a.test/x"),
        ("[2001:db8::1]:80", "/x", "https://a.test/x"),
        ("", "/x", "https://a.test/x"),
        ("a.test@evil.test", "/x", "https://a.test/x"),
        ("a.test:99999", "/x", "https://a.test/x"),
        ("xa.test", "/x", "https://a.test/x"),
    ]

    @Test(
        "hosts of sites are ours too, but for what is no name, and for sites of any host",
        arguments: [
            ("shop.test", "https://shop.test/x"), ("shop.test:8080", "https://shop.test/x"), ("b.example.com", "https://b.example.com/x"),
            ("a.b.example.com", "https://a.test/x"), ("example.com", "https://a.test/x"), ("other.test", "https://a.test/x"),
            ("evil.test/b.example.com", "https://a.test/x"), ("evil/b.example.com", "https://a.test/x"),
            ("evil@b.example.com", "https://a.test/x"), ("evil\\b.example.com", "https://a.test/x"),
        ])
    func sites(_ host: String, _ location: String) async {
        let sites = [HostPattern.exact("shop.test"), .wildcard(suffix: ".example.com"), .any].map { host in
            GatewaySite(
                SiteRoute(name: "", hosts: [host], path: PathPrefix("/only"), target: .fixed(FixedAnswer())), policies: [],
                handler: FixedHandler(FixedAnswer()))
        }
        let redirect = HTTPSRedirect(
            to: WebOrigin(scheme: .https, host: "a.test", port: 443), names: [], sites: SiteDirectory(sites), api: Echo())
        let response = await redirect.respond(
            to: Request(id: RequestID(value: 1), method: .GET, target: RequestTarget("/x")!, authority: host)
        ).response
        #expect(response.headers.first(name: "location") == location)
    }

    @Test("CHECKLIST 23: the host is one of ours, the target is kept byte for byte", arguments: locations)
    func location(host: String, target: String, location: String) async {
        let response = await answer(host, target)
        #expect(response.status == .permanentRedirect)
        #expect(response.headers.first(name: "location") == location)
        #expect(response.headers.first(name: "cache-control") == "max-age=3600")
    }

    @Test(
        "The port is that of the public URL",
        arguments: [("a.test:8080", "https://a.test:8443/x"), ("www.a.test", "https://www.a.test:8443/x")])
    func port(host: String, location: String) async {
        let response = await answer(host, "/x", publicURL: WebOrigin(scheme: .https, host: "a.test", port: 8443))
        #expect(response.headers.first(name: "location") == location)
    }

    @Test(
        "Every method is redirected with 308, which keeps it", arguments: [HTTPMethod.GET, .HEAD, .POST, .PUT, .PATCH, .DELETE, .OPTIONS])
    func methods(method: HTTPMethod) async {
        #expect(await answer("a.test", "/api/v1/auth/login", method).status == .permanentRedirect)
    }

    @Test(
        "Health calls are answered over plain HTTP, nothing that resembles them is",
        arguments: [
            ("/health", true), ("/api/v1/health", true), ("/api/health", true), ("/api/v1/health/live", true),
            ("/api/v1/health/ready?x=1", true),
            ("/.well-known/acme-challenge/x", false), ("/health/", false), ("/Health", false),
            ("/health/../api/v1/auth/me", false), ("/api/v1/auth/me", false),
        ])
    func health(target: String, isAnswered: Bool) async { #expect((await answer("192.0.2.1", target).status == .ok) == isAnswered) }

    @Test("What a trusted proxy received over HTTPS is not sent there again")
    func proxied() async { #expect(await answer("a.test", "/x", scheme: .https).status == .ok) }
}
