import GateHTTP
import NIOHTTP1
import Testing

@Suite("Security headers")
struct SecurityHeadersTests {
    @Test(
        "Strict-Transport-Security is not sent over plain HTTP where HTTPS is served here (RFC 6797 §7.2)",
        arguments: [(true, Request.Scheme.http, false), (true, .https, true), (false, .http, true), (false, .https, true)])
    func strictTransport(isHTTPSHere: Bool, scheme: Request.Scheme, isSent: Bool) throws {
        let headers = try #require(
            SecurityHeaders(hsts: .seconds(60), isHTTPSHere: isHTTPSHere, contentSecurityPolicy: "default-src 'none'", frameOptions: "DENY")
        )
        var response = Response(.ok)
        headers.decorate(&response, over: scheme)
        let names = response.encodedFields.fields.map { $0.0.lowercased() }
        #expect(names.contains("strict-transport-security") == isSent)
        #expect(names.contains("content-security-policy") && names.contains("x-frame-options"))
    }
}
