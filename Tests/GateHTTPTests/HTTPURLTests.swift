import GateHTTP
import Testing

@Suite("URLs of outgoing requests")
struct HTTPURLTests {
    @Test(
        "What is a URL, and how it is written",
        arguments: [
            ("https://acme.example/directory", "https://acme.example/directory"),
            ("HTTPS://ACME.Example", "https://acme.example/"),
            ("http://127.0.0.1:8080?a=b", "http://127.0.0.1:8080/?a=b"),
            ("https://a.test:443/x", "https://a.test/x"),
            ("http://[2001:DB8::1]:81/", "http://[2001:db8::1]:81/"),
        ])
    func accepted(text: String, written: String) { #expect(HTTPURL(text)?.description == written) }

    @Test(
        "What is none",
        arguments: [
            "", "acme.example", "ftp://a.test/", "https://", "https:///x", "https://u@a.test/", "https://u:p@a.test/", "https://a.test:0/",
            "https://a.test:65536/", "https://a.test:/", "https://a..test/", "https://a test/", "https://a.test/#x", "https://a.test/\r\n",
            "https://[::1/", "https://[127.0.0.1]/", "https://a.test:80:81/",
        ])
    func refused(text: String) { #expect(HTTPURL(text) == nil) }
}
