import GateAccess
import GateCore
import GateHTTP
import NIOHTTP1
import Testing

@testable import GateProxy

@Suite("What an application gets of a request's fields")
struct RequestFieldRulesTests {
    static let ours: Set<String> = [
        "x-forwarded-for", "x-real-ip", "x-forwarded-proto", "x-forwarded-host", "forwarded", "x-request-id", "via",
    ]

    private static func rules(_ change: (inout UpstreamRules) -> Void = { _ in }) -> UpstreamRules {
        var rules = UpstreamRules(servers: [.init(url: HTTPURL("http://127.0.0.1:3000")!)])
        change(&rules)
        return rules
    }

    private static func fields(_ request: Request, _ changes: FieldChanges = FieldChanges()) throws -> [String] {
        try RequestFieldRules(changes, rules: rules()).fields(of: AdmittedRequest(withholdingNothingOf: request)).fields.map {
            "\($0.name): \($0.value)"
        }
    }

    /// Those that are not ours to add.
    private static func passed(_ headers: HTTPHeaders) throws -> [String] {
        try RequestFieldRules(FieldChanges(), rules: rules()).fields(of: AdmittedRequest(withholdingNothingOf: .to(headers: headers)))
            .fields
            .filter { !ours.contains($0.name.lowercased()) }.map { "\($0.name): \($0.value)" }
    }

    @Test(arguments: [
        ["Accept: */*", "Cookie: a=b", "Authorization: Basic eA==", "X-Custom: 1", "x_custom: 2", "Content-Type: text/plain"],
        ["traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate: a=b", "baggage: x=y"],
        ["Origin: https://a.example", "Sec-Fetch-Site: cross-site", "Range: bytes=0-", "Trailer: Digest", "X-Forward: a", "X-Gate: b"],
        ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13", "Upgrade-Insecure-Requests: 1"],
    ])
    func `what is between client and application passes as it is, in its order`(lines: [String]) throws {
        #expect(try Self.passed(HTTPHeaders(lines: lines)) == lines)
    }

    @Test(
        "Fields between the client and us end here (RFC 9110 §7.6.1)",
        arguments: [
            "Connection: close", "Keep-Alive: timeout=5", "Proxy-Connection: keep-alive", "TE: trailers", "Transfer-Encoding: chunked",
            "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA", "Proxy-Authorization: Basic eA==", "Proxy-Authenticate: Basic",
            "Host: other", "Content-Length: 5", "content_length: 5", "Expect: 100-continue", "TRANSFER_ENCODING: chunked",
        ])
    func hopByHop(line: String) throws {
        #expect(try Self.passed(HTTPHeaders(lines: [line, "Accept: */*"])) == ["Accept: */*"])
    }

    @Test(
        "Only we say who asked, and for what, in every spelling",
        arguments: [
            "X-Forwarded-For: 1.2.3.4", "x_forwarded_for: 1.2.3.4", "X.Forwarded.For: 1.2.3.4", "X-Forwarded_Host: evil",
            "X-FORWARDED-PORT: 1",
            "X-Forwarded-Prefix: /x", "X-Forwarded-Ssl: on", "X-Forwarded-Anything: x", "Forwarded: for=1.2.3.4", "X-Real-IP: 1.2.3.4",
            "x_real_ip: 1.2.3.4", "X-Request-Id: mine", "X-Original-URL: /admin", "X-Rewrite-URL: /admin", "X_Original_URL: /admin",
            "Proxy: http://evil", "X-Original-URI: /admin",
            "X-Gatehouse-User: admin", "x_gatehouse_user: admin", "X-Gatehouse.Roles: owner", "X_GATEHOUSE-Assertion: a.b.c",
            "X-Gatehouse-: root", "x_forwarded_: x",
        ])
    func onlyOurs(line: String) throws {
        #expect(try Self.passed(HTTPHeaders(lines: [line, "Accept: */*"])) == ["Accept: */*"])
        #expect(try Self.fields(.to(headers: HTTPHeaders(lines: [line]))).allSatisfy { !$0.contains("1.2.3.4") && !$0.contains("evil") })
    }

    @Test(
        "CHECKLIST 30: what Connection names is dropped, and what we add is not",
        arguments: [
            ["X-Custom"], ["x-custom, close"], ["keep-alive", "X-CUSTOM"], [" x-custom ,\tx-other"], ["close, x_custom"],
            ["X-Custom, X-Forwarded-For, X-Forwarded-Proto, X-Gatehouse-User, Forwarded, X-Request-Id, Via, X-Real-IP"],
        ])
    func named(options: [String]) throws {
        var headers = HTTPHeaders(options.map { ("Connection", $0) })
        headers.add(name: "X-Custom", value: "secret")
        headers.add(name: "Accept", value: "*/*")
        let fields = try Self.fields(.to(headers: headers))
        #expect(!fields.contains { $0.lowercased().hasPrefix("x-custom") })
        #expect(fields.contains("Accept: */*"))
        #expect(fields.contains("X-Forwarded-For: 203.0.113.7"))
        #expect(fields.contains("X-Forwarded-Proto: https"))
        #expect(fields.contains("Via: 1.1 gatehouse"))
    }

    @Test func `of an HTTPS request from an IPv4 address`() throws {
        #expect(
            try Self.fields(.to()) == [
                "X-Forwarded-For: 203.0.113.7", "X-Real-IP: 203.0.113.7", "X-Forwarded-Proto: https", "X-Forwarded-Host: app.example.com",
                "Forwarded: for=203.0.113.7;proto=https;host=app.example.com", "X-Request-Id: 0123456789abcdef", "Via: 1.1 gatehouse",
            ])
    }

    @Test(
        arguments: [
            ("2001:db8::7", Request.Scheme.http, "app.example.com:8080", "for=\"[2001:db8::7]\";proto=http;host=\"app.example.com:8080\""),
            ("192.0.2.1", .https, "[2001:db8::1]", "for=192.0.2.1;proto=https;host=\"[2001:db8::1]\""),
            ("192.0.2.1", .https, "", "for=192.0.2.1;proto=https"),
            (nil, .http, "a", "for=unknown;proto=http;host=a"),
            ("10.255.0.100", .http, "a\"b", "for=10.255.0.100;proto=http"),
        ] as [(String?, Request.Scheme, String, String)])
    func `Forwarded quotes what needs it`(client: String?, scheme: Request.Scheme, authority: String, expected: String) throws {
        let fields = try Self.fields(.to(client: client, scheme: scheme, authority: authority))
        #expect(fields.contains("Forwarded: \(expected)"))
        #expect(fields.contains { $0.hasPrefix("X-Forwarded-For") } == (client != nil))
        #expect(fields.contains { $0.hasPrefix("X-Forwarded-Host") } == !authority.isEmpty)
    }

    @Test func `Via tells the way, a line of it`() throws {
        let fields = try Self.fields(.to(headers: HTTPHeaders([("Via", "1.0 fred"), ("via", "1.1 p.example.net")]), version: .http2))
        #expect(fields.filter { $0.lowercased().hasPrefix("via") } == ["Via: 1.0 fred, 1.1 p.example.net, 2 gatehouse"])
    }

    @Test(arguments: [(3, false), (4, true), (9, true)]) func `a request that comes by again and again goes in a circle`(
        visits: Int, isLoop: Bool
    ) throws {
        let via = Array(repeating: "1.1 gatehouse", count: visits).joined(separator: ", ")
        if isLoop {
            #expect(throws: RequestFieldRules.Fault.loop) { try Self.fields(.to(headers: ["via": via])) }
        } else {
            #expect(try Self.fields(.to(headers: ["via": via])).contains("Via: \(via), 1.1 gatehouse"))
        }
    }

    @Test(
        "CHECKLIST 33: no field leaves that would be two",
        arguments: [
            ("a", "b\r\nc: d"), ("a", "b\nc"), ("a", "b\0"), ("a\r\nb", "c"), ("a b", "c"), ("", "c"), ("a:b", "c"), ("a", "\u{7F}"),
        ])
    func unsound(name: String, value: String) {
        #expect(throws: RequestFieldRules.Fault.malformed) { try Self.fields(.to(headers: HTTPHeaders([(name, value)]))) }
    }

    @Test func `the operator removes, sets, and has the last word`() throws {
        var changes = FieldChanges()
        changes.removed = ["Accept-Language", "X-Real-IP", "Via"]
        changes.set = [("X-Env", "live"), ("x-forwarded-proto", "http"), ("Connection", "close"), ("Content-Length", "5")]
        let fields = try Self.fields(
            .to(headers: ["accept-language": "de", "x_env": "spoofed", "X-Env": "spoofed", "accept": "*/*"]), changes)
        #expect(
            fields == [
                "accept: */*", "X-Forwarded-For: 203.0.113.7", "X-Forwarded-Host: app.example.com",
                "Forwarded: for=203.0.113.7;proto=https;host=app.example.com", "X-Request-Id: 0123456789abcdef", "X-Env: live",
                "x-forwarded-proto: http",
            ])
    }

    @Test func `a stripped prefix is told to the application`() throws {
        let rules = RequestFieldRules(FieldChanges(), rules: Self.rules { $0.strippedPrefix = "/app" })
        #expect(
            try rules.fields(of: AdmittedRequest(withholdingNothingOf: .to("/app/x"))).fields.contains {
                $0 == ("X-Forwarded-Prefix", "/app")
            })
    }

    @Test func `Host is the client's, the server's or a given one`() {
        func authority(_ authority: UpstreamRules.Authority, _ changes: FieldChanges = FieldChanges()) -> String? {
            RequestFieldRules(changes, rules: Self.rules { $0.authority = authority }).authority(for: .to(authority: "a.example:8443"))
        }
        #expect(authority(.client) == "a.example:8443")
        #expect(authority(.upstream) == nil)
        #expect(authority(.fixed("internal")) == "internal")
        var changes = FieldChanges()
        changes.set = [("host", "set")]
        #expect(authority(.client, changes) == "set")
    }
}
