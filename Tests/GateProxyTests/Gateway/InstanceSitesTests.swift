import GateAccess
import GateHTTP
import GateTesting
import NIOHTTP1
import Testing

@testable import GateProxy

@Suite("Sites of instances")
struct InstanceSitesTests {
    private static let pseudonym = ViaPseudonym(installation: "01234567")

    private static func site(_ name: String, _ host: HostPattern, _ path: String) -> GatewaySite {
        let route = SiteRoute(name: name, hosts: [host], path: PathPrefix(path), target: .fixed(FixedAnswer()))
        return GatewaySite(route, policies: [], handler: FixedHandler(FixedAnswer()))
    }

    private static func sites() throws -> InstanceSites {
        try #require(
            InstanceSites(
                [site("all", .exact("app.example.com"), "/"), site("credentials", .exact("app.example.com"), "/api/v1/auth")],
                pseudonym: pseudonym))
    }

    @Test(
        "take every path of their hosts, but health and what one of them has passed on",
        arguments: [
            ("app.example.com", "/", [], "all"), ("app.example.com", "/.gatehouse/sign-in", [], "all"),
            ("app.example.com", "/api/v1/auth/refresh", [], "credentials"), ("app.example.com", "/api/v1/auth/../x", [], "none"),
            ("other.example.com", "/", [], "none"), ("app.example.com", "/health", [], "none"),
            ("app.example.com", "/api/v1/health/ready", [], "none"), ("app.example.com", "/_gate/api/v1/health/live", [], "none"),
            ("app.example.com", "/healthy", [], "all"), ("app.example.com", "/", ["1.1 gatehouse-01234567"], "none"),
            ("app.example.com", "/", ["1.1 fred", "2 gatehouse-01234567, 1.1 proxy"], "none"),
            ("app.example.com", "/", ["1.1 gatehouse", "1.1 gatehouse-76543210"], "all"),
            ("app.example.com", "/", ["1.1 not-gatehouse-01234567"], "all"),
        ] as [(String, String, [String], String)])
    func find(host: String, path: String, via: [String], expected: String) throws {
        let request = Request.to(path, headers: HTTPHeaders(via.map { ("Via", $0) }), authority: host)
        #expect(try Self.sites().find(request)?.route.name ?? "none" == expected)
    }

    @Test func `are none where there are none`() {
        #expect(InstanceSites([], pseudonym: Self.pseudonym) == nil)
    }

    @Test func `pass credentials on, and cookies in one field`() throws {
        let headers = HTTPHeaders([("cookie", "a=1"), ("Authorization", "Bearer x"), ("cookie", "__Host-gatehouse=2")])
        let passed = try Self.sites().passedOn(.to(headers: headers)).arrived.headers
        #expect(passed["cookie"] == ["a=1; __Host-gatehouse=2"] && passed["authorization"] == ["Bearer x"])
    }

    @Test func `let an instance set the session's cookie, and name the installation in Via`() async throws {
        try await Rig.run { (rig: Rig, instance: StandIn) async throws in
            let route = SiteRoute(name: "all", hosts: [.any], path: PathPrefix("/"), target: .instances(rig.upstream.rules))
            let handler = UpstreamHandler(
                route, to: rig.upstream, cookie: nil, pseudonym: Self.pseudonym, baseURL: "https://gate.example.com", log: rig.log.logger)
            let request = Request.to(headers: ["Via": "1.0 fred", "X-Gatehouse-User": "forged", "Cookie": "__Host-gatehouse=1"])
            async let answer = Collected(handler.answer(AdmittedRequest(withholdingNothingOf: request)).response)
            let connection = try await instance.accept()
            let head = try await connection.head()
            #expect(head.contains("\r\nVia: 1.0 fred, 1.1 gatehouse-01234567\r\n") && head.contains("\r\nCookie: __Host-gatehouse=1\r\n"))
            #expect(!head.contains("forged"))
            try await connection.send("HTTP/1.1 204 No Content\r\nSet-Cookie: __Host-gatehouse=2; Path=/\r\n\r\n")
            #expect(try await answer.value("set-cookie") == "__Host-gatehouse=2; Path=/")
        }
    }
}
