import GateHTTP
import Testing

@Suite("Request targets")
struct RequestTargetTests {
    @Test(
        "A path's octets are those before the query, in short targets and long ones",
        arguments: ["/", "/?", "/a?b=/c", "/" + String(repeating: "a", count: 40), "/" + String(repeating: "a", count: 40) + "?x?y"])
    func octets(text: String) {
        let target = RequestTarget(text)!
        let path = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)[0]
        #expect(target.withPath { String(decoding: $0, as: UTF8.self) } == path && target.path == path)
    }

    @Test(
        "What a path begins with",
        arguments: [
            ("/.gatehouse/", true), ("/.gatehouse/sign-in?x", true), ("/.gatehouse", false), ("/.gatehouse?/", false),
            ("/.Gatehouse/", false),
            ("/", false),
        ])
    func beginning(text: String, expected: Bool) { #expect(RequestTarget(text)!.begins(with: "/.gatehouse/") == expected) }
}
