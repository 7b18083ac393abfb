import GateAccess
import GateHTTP
import Testing

@testable import GateProxy

@Suite("Which site a request belongs to")
struct SiteTableTests {
    private static func site(_ name: String, _ hosts: [HostPattern], _ path: String) -> SiteRoute {
        SiteRoute(name: name, hosts: hosts, path: PathPrefix(path), target: .fixed(FixedAnswer()))
    }

    private static let sites = [
        site("app", [.exact("app.example.com")], "/"),
        site("app admin", [.exact("app.example.com")], "/admin"),
        site("app admin keys", [.exact("app.example.com")], "/admin/keys"),
        site("wild", [.wildcard(suffix: ".example.com")], "/"),
        site("two", [.exact("one.example.org"), .exact("two.example.org")], "/x"),
        site("any files", [.any], "/files"),
        site("address", [.exact("[::1]")], "/"),
    ]

    private static func find(_ authority: String, _ path: String, in sites: [SiteRoute] = sites) -> String {
        switch SiteTable(sites).find(authority: authority, path: path[...]) {
        case .site(let place): sites[place].name
        case .ambiguous: "400"
        case .none: "none"
        }
    }

    @Test(
        "the most specific host, then the longest path",
        arguments: [
            ("app.example.com", "/", "app"), ("app.example.com:8443", "/", "app"), ("app.example.com.", "/", "app"),
            ("app.example.com.:443", "/x", "app"), ("app.example.com", "/admin", "app admin"), ("app.example.com", "/admin/", "app admin"),
            ("app.example.com", "/admin/keys/1", "app admin keys"), ("app.example.com", "/administrator", "app"),
            ("app.example.com", "/admin/keyset", "app admin"), ("app.example.com", "/files/x", "app"),
            ("b.example.com", "/", "wild"), ("b.example.com", "/admin", "wild"), ("a.b.example.com", "/", "none"),
            ("example.com", "/", "none"), (".example.com", "/", "none"), ("a.b.example.com", "/files", "any files"),
            ("one.example.org", "/x/y", "two"), ("two.example.org:80", "/x", "two"), ("two.example.org", "/", "none"),
            ("two.example.org", "/files/x", "any files"), ("elsewhere.test", "/files", "any files"), ("elsewhere.test", "/", "none"),
            ("", "/files", "any files"), ("", "/", "none"), ("[::1]:8080", "/", "address"), ("[::1]", "/", "address"),
            ("[::2]:8080", "/", "none"),
        ])
    func precedence(_ authority: String, _ path: String, _ expected: String) {
        #expect(Self.find(authority, path) == expected)
    }

    @Test(
        "CHECKLIST 32: a path that another reading takes to another site is refused",
        arguments: [
            "/%61dmin", "//admin", "/x/../admin", "/./admin", "/admin/..", "/admin/../", "/%2e%2e/admin", "/x/%2e%2e/admin",
            "/x%2f..%2fadmin",
            "/x/..%2fadmin", "/%2fadmin", "/\\admin", "/x\\..\\admin", "/%5cadmin", "/admin;x", "/admin;x/keys", "/admin%3bx",
            "/x/..;/admin",
            "/..;x=1/admin", "/.;/admin", "/%252e%252e/admin", "/x%252f..%252fadmin", "/%2561dmin", "/%%36%31dmin", "/%25%36%31dmin",
            "/admin%2fkeys", "/admin//keys",
            "/admin/;a/keys", "/admin%3fx", "/admin%23x", "/admin%00", "/x%00/y", "/admin%2f..%2fkeys", "/admin/%2e", "/..", "/.",
            "/admin%5ckeys",
            // What is cut off first decides what is left, so these have more than two readings.
            "/x;%2fadmin/keys", "/admin;%2fx/keys", "/admin/;%2f/keys",
        ])
    func ambiguousPaths(_ path: String) {
        #expect(Self.find("app.example.com", path) == "400")
    }

    @Test(
        "CHECKLIST 32: a path whose readings lead to one site is passed on as it was sent",
        arguments: [
            ("/api/projects/group%2Fproject", "app"), ("/caf%C3%A9", "app"), ("/a%20b", "app"), ("/x//y", "app"), ("/x;v=1/y", "app"),
            ("/admin/a%2fb", "app admin"), ("/admin/x;y", "app admin"), ("/admin/%41", "app admin"), ("/.well-known/security.txt", "app"),
            ("/...", "app"), ("/.git", "app"), ("/x/.hidden", "app"), ("/100%", "app"), ("/%zz", "app"), ("/x..", "app"),
            ("/proxy/https://example.com/", "app"), ("//", "app"), ("/x/", "app"), ("/admin//", "app admin"),
        ])
    func unequivocalPaths(_ path: String, _ expected: String) {
        #expect(Self.find("app.example.com", path) == expected)
    }

    @Test("a host with one site takes every spelling but those that climb")
    func singleSite() {
        let sites = [Self.site("all", [.any], "/")]
        for path in ["/a%2fb", "//a", "/a;b", "/a;%2fb", "/%61", "/a\\b", "/*"] { #expect(Self.find("x.test", path, in: sites) == "all") }
        for path in ["/a/../b", "/%2e%2e/b", "/..;/b", "/a%00"] { #expect(Self.find("x.test", path, in: sites) == "400") }
    }

    @Test("hosts are known by name, and not where a site is for any")
    func names() {
        let table = SiteTable(Self.sites)
        for host in ["app.example.com", "other.example.com", "two.example.org", "app.example.com:443"] { #expect(table.names(host)) }
        for host in ["example.com", "elsewhere.test", "a.b.example.com", ""] { #expect(!table.names(host)) }
    }
}
