import GateHTTP
import NIOHTTP1
import Testing

@Suite("Router")
struct RouterTests {
    private let router: Router<String> = {
        var routes = RouterBuilder<String>()
        routes.add(.GET, "/", "root")
        routes.add(.GET, "/users", "users")
        routes.add(.POST, "/users", "add")
        routes.add(.GET, "/users/me", "me")
        routes.add(.GET, "/users/{id}", "user")
        routes.add(.DELETE, "/users/{id}/sessions/{session}", "end")
        routes.add(.GET, "/files/{path...}", "file")
        return routes.freeze()
    }()

    private func found(_ method: HTTPMethod, _ path: String) -> String {
        switch router.match(method, path[...]) {
        case .found(let endpoint, let parameters):
            ["id", "session", "path"].compactMap { name in parameters[name].map { " \(name)=\($0)" } }.reduce(endpoint, +)
        case .methodNotAllowed(let allowed): "allowed: \(allowed.map(\.rawValue).joined(separator: " "))"
        case .notFound: "not found"
        }
    }

    @Test(
        "finds what a path names",
        arguments: [
            (HTTPMethod.GET, "/", "root"), (.GET, "/users", "users"), (.POST, "/users", "add"),
            (.GET, "/users/me", "me"), (.GET, "/users/7", "user id=7"), (.HEAD, "/users/7", "user id=7"),
            (.DELETE, "/users/7/sessions/9", "end id=7 session=9"), (.GET, "/files/a", "file path=a"),
            (.GET, "/files/a/b/c", "file path=a/b/c"),
            (.PUT, "/users", "allowed: GET POST HEAD OPTIONS"), (.OPTIONS, "/users/7", "allowed: GET HEAD OPTIONS"),
        ])
    func finds(method: HTTPMethod, path: String, expected: String) { #expect(found(method, path) == expected) }

    @Test(
        "A first look tells paths that begin like none of the routes', and no route from its own",
        arguments: [
            ("/users", true), ("/users/7/x", true), ("/users?a", true), ("/files/a", true), ("/usersx", false), ("/user", false),
            ("/", false),
            ("/shop", false), ("/_", false), ("//users", false),
        ])
    func firstLook(target: String, expected: Bool) {
        var routes = RouterBuilder<String>()
        for pattern in ["/users", "/users/{id}", "/files/{path...}"] { routes.add(.GET, pattern, pattern) }
        #expect(routes.freeze().mayHold(RequestTarget(target)!) == expected)
        // Where there is a route without a first segment, any path may be one.
        #expect(router.mayHold(RequestTarget(target)!))
    }

    @Test(
        "CHECKLIST 32: another spelling of a path is another path",
        arguments: [
            "/users/", "//users", "/users//me", "/./users", "/users/../users", "/Users", "/users%2fme", "/users;x=1", "/files", "/files/",
            "/users/7/sessions", "/users/7/sessions/9/more",
        ])
    func otherSpellings(path: String) { #expect(found(.GET, path) == "not found") }
}
