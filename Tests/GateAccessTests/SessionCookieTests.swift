import GateAccess
import Testing

@Suite("The session cookie")
struct SessionCookieTests {
    @Test("CHECKLIST 11: the session cookie is __Host-, Secure, HttpOnly, SameSite=Lax, Path=/, without Domain")
    func secureCookie() {
        let cookie = SessionCookie(isSecure: true)
        #expect(cookie.set("token", maxAge: .seconds(60)) == "__Host-gatehouse=token; Max-Age=60; Path=/; HttpOnly; SameSite=Lax; Secure")
        #expect(cookie.clear == "__Host-gatehouse=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax; Secure")
    }

    @Test(
        "What would make a browser send a cookie of that name is told from what would not",
        arguments: [
            ("__Host-gatehouse=x; Path=/; Secure", true), ("__Host-gatehouse=", true), (" \t__Host-gatehouse \t=x", true),
            ("=__Host-gatehouse=x", true), (" = __Host-gatehouse=x", true), ("__Host-gatehouse=; Max-Age=0", true),
            ("__Host-gatehouse", false), ("__Host-gatehouse; a=b", false), ("__Host-gatehouse2=x", false), ("__host-gatehouse=x", false),
            ("a=__Host-gatehouse=x", false), ("a=b; __Host-gatehouse=x", false), ("gatehouse=x", false), ("", false), ("=", false),
        ])
    func isSet(value: String, expected: Bool) {
        let cookie = SessionCookie(isSecure: true)
        #expect(Array(value.utf8).withUnsafeBytes { cookie.isSet(by: $0) } == expected)
    }

    @Test("on plain HTTP it has neither the prefix nor Secure, for a browser would drop it")
    func plainCookie() {
        #expect(
            SessionCookie(isSecure: false).set("token", maxAge: .seconds(60))
                == "gatehouse=token; Max-Age=60; Path=/; HttpOnly; SameSite=Lax")
    }
}
