import GateHTTP
import Testing

@testable import GateProxy

@Suite("The path that an application is asked for")
struct PathRewriteTests {
    @Test(
        "CHECKLIST 32: the rest of the target is what the client sent, byte by byte",
        arguments: [
            (nil, [], "/a/b?c=d", "/a/b?c=d"),
            (nil, [], "/%2e%2e//x;y?/..", "/%2e%2e//x;y?/.."),
            ("/app", [], "/app/x", "/x"),
            ("/app", [], "/app", "/"),
            ("/app", [], "/app/", "/"),
            ("/app", [], "/app?q", "/?q"),
            ("/app/", [], "/app/x%2Fy?q=%20", "/x%2Fy?q=%20"),
            ("/app", [], "/apple", "/apple"),
            ("/app", [], "/other?/app/", "/other?/app/"),
            ("/", [], "/x", "/x"),
            (nil, ["/v1"], "/x?y", "/v1/x?y"),
            (nil, ["/v1/"], "/", "/v1/"),
            ("/app", ["/", "/v1"], "/app/x", "/v1/x"),
            ("/app", ["/base/", "/v1"], "/app", "/base/v1/"),
            ("/app", ["/v1"], "/app?q", "/v1/?q"),
        ] as [(String?, [String], String, String)])
    func target(stripped: String?, added: [String], sent: String, expected: String) {
        #expect(PathRewrite(stripped: stripped, added: added).target(for: RequestTarget(sent)!) == expected)
    }
}
