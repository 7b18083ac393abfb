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

    @Test("on plain HTTP it has neither the prefix nor Secure, for a browser would drop it")
    func plainCookie() {
        #expect(
            SessionCookie(isSecure: false).set("token", maxAge: .seconds(60))
                == "gatehouse=token; Max-Age=60; Path=/; HttpOnly; SameSite=Lax")
    }
}
