import GateHTTP
import Testing

@Suite("Redirects after signing in")
struct RedirectTargetTests {
    private let origins: Set<String> = ["https://www.example.com", "http://localhost:3000"]

    @Test(
        "CHECKLIST 28: own paths and listed origins are taken as they are",
        arguments: [
            "/", "/account", "/a/b?c=d#e", "/a//b", "/a%2fb", "/?next=//evil.example", "https://www.example.com",
            "https://www.example.com/", "https://www.example.com?x", "http://localhost:3000/app",
        ])
    func taken(text: String) { #expect(RedirectTarget(text, origins: origins)?.location == text) }

    @Test(
        "CHECKLIST 28: whatever could lead elsewhere is refused",
        arguments: [
            "", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "/%2fevil.example", "/%2Fevil.example",
            "/%5cevil.example", "/%5Cevil.example", "https:evil.example", "https:/evil.example", "https://evil.example",
            "https://www.example.com.evil.example", "https://www.example.com@evil.example", "https://www.example.com:444/",
            "https://user@www.example.com/", "http://www.example.com/", "HTTPS://WWW.EXAMPLE.COM@evil.example", "javascript:alert(1)",
            "data:text/html,x", "account", "./account", " /account", "/acc ount", "/\t/evil.example", "/\r\nSet-Cookie: a=b", "/\u{0}",
            "/é",
            "/" + String(repeating: "a", count: 2048),
        ])
    func refused(text: String) { #expect(RedirectTarget(text, origins: origins) == nil) }
}
