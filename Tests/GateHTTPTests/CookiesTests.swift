import GateCore
import GateHTTP
import NIOHTTP1
import Testing

@Suite("Cookies")
struct CookiesTests {
    @Test(
        "a cookie is read by its exact name",
        arguments: [
            (["gatehouse=abc"], "abc"), (["a=1; gatehouse=abc; b=2"], "abc"), (["a=1;gatehouse=abc"], "abc"), (["gatehouse=a=b"], "a=b"),
            (["a=1", "gatehouse=abc"], "abc"), (["gatehouse=abc; gatehouse=abc"], "abc"), (["gatehouse="], ""),
            (["gatehouse=abc; gatehouse=def"], nil), (["gatehouse=abc", "gatehouse=def"], nil), (["xgatehouse=abc"], nil),
            (["Gatehouse=abc"], nil), (["gatehouse"], nil), ([], nil), ([";;; ="], nil),
        ] as [([String], String?)])
    func reads(fields: [String], expected: String?) {
        let headers = HTTPHeaders(fields.map { ("Cookie", $0) })
        #expect(headers.cookie("gatehouse").map(String.init) == expected)
    }

    @Test("CHECKLIST 11: the session cookie is __Host-, Secure, HttpOnly, SameSite=Lax, Path=/, without Domain")
    func secureCookie() {
        let cookie = SessionCookie(isSecure: true)
        #expect(cookie.set("token", maxAge: .seconds(60)) == "__Host-gatehouse=token; Max-Age=60; Path=/; HttpOnly; SameSite=Lax; Secure")
        #expect(cookie.clear == "__Host-gatehouse=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax; Secure")
    }

    @Test("on plain HTTP it has neither the prefix nor Secure, for a browser would drop it")
    func plainCookie() {
        #expect(
            SessionCookie(isSecure: false).set("token", maxAge: .seconds(60))
                == "gatehouse=token; Max-Age=60; Path=/; HttpOnly; SameSite=Lax")
    }
}
