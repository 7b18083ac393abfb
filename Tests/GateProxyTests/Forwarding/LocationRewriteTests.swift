import GateHTTP
import Testing

@testable import GateProxy

@Suite("References of an application to its own paths")
struct LocationRewriteTests {
    private static func outside(
        _ reference: String, stripped: String? = "/app", added: [String] = [], scheme: Request.Scheme = .https,
        authority: String = "app.example.com"
    ) -> String? {
        let rewrite = LocationRewrite(
            PathRewrite(stripped: stripped, added: added), for: .to("/app/x", scheme: scheme, authority: authority))
        return Array(reference.utf8).withUnsafeBytes { rewrite?.outside($0) }
    }

    @Test(
        "What points to one of its paths points to the outside path",
        arguments: [
            ("/", "/app/"), ("/login?next=/x#top", "/app/login?next=/x#top"), ("/apple", "/app/apple"), ("/a%2Fb;c", "/app/a%2Fb;c"),
            ("https://app.example.com/login", "https://app.example.com/app/login"),
            ("http://app.example.com/login", "http://app.example.com/app/login"),
            ("HTTPS://App.Example.Com:443/x", "HTTPS://App.Example.Com:443/app/x"),
            ("//app.example.com/x?y", "//app.example.com/app/x?y"),
            ("https://app.example.com", "https://app.example.com/app/"),
            ("https://app.example.com?x", "https://app.example.com/app/?x"),
        ])
    func moved(reference: String, expected: String) { #expect(Self.outside(reference) == expected) }

    @Test(
        "All else stays as it is",
        arguments: [
            "", "x", "?q", "#f", "../x", "/app", "/app/x", "/app?q", "https://app.example.com/app/x",
            "https://other.example.com/x", "//other.example.com/x", "https://app.example.com.evil/x", "https://app.example.com:8443/x",
            "https://app.example.com@evil/x", "https://user@app.example.com/x", "/\\app.example.com/x", "//app.example.com\\x", "///x",
            "https:/x", "https:x",
            "ftp://app.example.com/x", "http\u{1A}//app.example.com/x", "javascript:alert(1)", "mailto:a@b",
        ])
    func kept(reference: String) { #expect(Self.outside(reference) == nil) }

    @Test func `what is not UTF-8 stays as it is`() {
        let rewrite = LocationRewrite(PathRewrite(stripped: "/app", added: []), for: .to())
        #expect([UInt8(ascii: "/"), 0xE9].withUnsafeBytes { rewrite?.outside($0) } == nil)
    }

    @Test(
        "A prefix that is put before is taken off again",
        arguments: [
            (nil, ["/base"], "/base/x", "/x"), (nil, ["/base"], "/base", "/"), (nil, ["/base"], "/other", nil),
            (nil, ["/base", "/v1"], "/base/v1/x?y", "/x?y"), ("/app", ["/v1"], "/v1/x", "/app/x"), ("/app", ["/v1"], "/v1", "/app"),
            ("/app", ["/v1"], "/app/x", nil), ("/app", ["/v1"], "/x", nil), (nil, [], "/x", nil), ("/", [], "/x", nil),
        ] as [(String?, [String], String, String?)])
    func added(stripped: String?, added: [String], reference: String, expected: String?) {
        #expect(Self.outside(reference, stripped: stripped, added: added) == expected)
    }

    @Test func `the port of plain HTTP is left out as well, and a port of its own is part of the host`() {
        #expect(Self.outside("http://a.example:80/x", scheme: .http, authority: "a.example") == "http://a.example:80/app/x")
        #expect(Self.outside("http://a.example:8080/x", scheme: .http, authority: "a.example:8080") == "http://a.example:8080/app/x")
        #expect(Self.outside("http:///x", scheme: .http, authority: "") == nil)
    }
}
