import GateCore
import GateHTTP
import NIOHTTP1
import Testing

@Suite("Forwarded headers")
struct ForwardedHeadersTests {
    private static let trusted = [IPNetwork("10.0.0.0/8")!, IPNetwork("2001:db8:f::/48")!]

    private func origin(_ fields: [(String, String)], peer: String = "10.0.0.1") -> ForwardedHeaders.Origin {
        ForwardedHeaders.origin(of: HTTPHeaders(fields), peer: IPAddress(peer)!, trusted: Self.trusted)
    }

    @Test("CHECKLIST 31: nobody but a trusted peer is believed")
    func untrusted() {
        let fields = [
            ("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "b"), ("Forwarded", "for=192.0.2.1"),
        ]
        let origin = origin(fields, peer: "203.0.113.5")
        #expect(origin.client == IPAddress("203.0.113.5") && origin.scheme == nil && origin.host == nil)
    }

    @Test(
        "CHECKLIST 31: the chain is walked from right to left, to the first that is not trusted",
        arguments: [
            ("192.0.2.1", "192.0.2.1"),
            ("198.51.100.66, 192.0.2.1", "192.0.2.1"),
            ("198.51.100.66, 192.0.2.1, 10.0.0.7, 10.1.2.3", "192.0.2.1"),
            ("10.0.0.9, 10.0.0.7", "10.0.0.9"),
            ("192.0.2.1:4711, 10.0.0.7:80", "192.0.2.1"),
            ("2001:db8::1, 2001:db8:f::2", "2001:db8::1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("192.0.2.1, unknown", "10.0.0.1"),
            ("192.0.2.1, , 10.0.0.7", "10.0.0.7"),
            ("192.0.2.1, 10.0.0.7:x", "10.0.0.1"),
            ("", "10.0.0.1"),
        ])
    func chain(_ field: String, _ client: String) {
        #expect(origin([("X-Forwarded-For", field)]).client == IPAddress(client))
    }

    @Test("CHECKLIST 31: several fields are one list")
    func severalFields() {
        #expect(
            origin([("X-Forwarded-For", "198.51.100.66"), ("x-forwarded-for", "192.0.2.1, 10.0.0.7")]).client == IPAddress("192.0.2.1"))
    }

    @Test("CHECKLIST 31: scheme and host come from the hop that is believed, not from further left")
    func schemeAndHost() {
        let spoofed = origin([
            ("X-Forwarded-For", "198.51.100.66, 192.0.2.1"), ("X-Forwarded-Proto", "https, http"),
            ("X-Forwarded-Host", "evil, Good.example"),
        ])
        #expect(spoofed.scheme == .http && spoofed.host == "good.example")
        let nearest = origin([("X-Forwarded-For", "192.0.2.1, 10.0.0.7"), ("X-Forwarded-Proto", "https")])
        #expect(nearest.scheme == .https)
        #expect(origin([("X-Forwarded-Proto", "gopher")]).scheme == nil)
        #expect(origin([("X-Forwarded-Host", "a/b")]).host == nil)
        #expect(origin([("X-Forwarded-Host", "a\"b")]).host == nil)
    }

    @Test(
        "CHECKLIST 31: Forwarded is read as RFC 7239 has it",
        arguments: [
            ("for=192.0.2.1", "192.0.2.1"),
            ("For=\"[2001:db8::1]:4711\"", "2001:db8::1"),
            ("for=198.51.100.66, for=192.0.2.1;proto=https;host=a, for=10.0.0.7", "192.0.2.1"),
            ("for=\"192.0.2.1, 198.51.100.66\"", "10.0.0.1"),
            ("for=_hidden", "10.0.0.1"), ("for=unknown", "10.0.0.1"),
            ("proto=https", "10.0.0.1"), ("nonsense", "10.0.0.1"),
        ])
    func forwarded(_ field: String, _ client: String) {
        #expect(origin([("Forwarded", field)]).client == IPAddress(client))
    }

    @Test("CHECKLIST 31: of Forwarded, scheme and host count too")
    func forwardedSchemeAndHost() {
        let origin = origin([
            ("Forwarded", "for=198.51.100.66;proto=http;host=evil, for=192.0.2.1 ; Proto=https ;host=\"App.example:8443\"")
        ])
        #expect(origin.scheme == .https && origin.host == "app.example:8443")
    }

    @Test("CHECKLIST 31: two kinds that disagree count as none")
    func disagreement() {
        #expect(origin([("X-Forwarded-For", "192.0.2.1"), ("Forwarded", "for=198.51.100.66")]).client == IPAddress("10.0.0.1"))
        #expect(origin([("X-Forwarded-For", "192.0.2.1"), ("Forwarded", "for=192.0.2.1")]).client == IPAddress("192.0.2.1"))
    }
}
