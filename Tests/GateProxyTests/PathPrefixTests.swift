import GateProxy
import Testing

@Suite struct PathPrefixTests {
    @Test(arguments: [
        ("/", "/", true), ("/", "/a", true), ("/app", "/app", true), ("/app/", "/app", true), ("/app", "/app/", true),
        ("/app", "/app/x", true), ("/app", "/apple", false), ("/app", "/", false), ("/app", "/App", false), ("/a/b", "/a/b/c", true),
    ])
    func `a prefix covers whole segments`(prefix: String, path: String, covers: Bool) {
        #expect(PathPrefix(prefix).covers(path[...]) == covers)
    }
}
