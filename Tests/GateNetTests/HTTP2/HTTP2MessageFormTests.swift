import NIOHPACK
import Testing

@testable import GateNet

@Suite("CHECKLIST 33: the form of messages, RFC 9113 §8")
struct HTTP2MessageFormTests {
    private static let get = WireFrame.request()
    private static let socket = get.filter { $0.0 != ":method" } + [(":method", "CONNECT"), (":protocol", "websocket")]

    @Test(
        "Requests that are well-formed",
        arguments: [
            get, get + [("te", "trailers")], get + [("x-a", "")], get + [("x-a", "b\tc d\u{E9}")],
            get + [("cookie", "a"), ("cookie", "b")],
            [(":path", "/"), (":method", "OPTIONS"), (":scheme", "https")], socket, [(":method", "CONNECT"), (":authority", "a:1")],
        ])
    func request(_ fields: [(String, String)]) { #expect(HTTP2MessageForm.isRequest(HPACKHeaders(fields))) }

    @Test(
        "Requests that are malformed",
        arguments: [
            [], [("x-a", "b")], [("x-a", "b")] + get, get + [("x-a", "b"), (":authority", "b")], get + [(":unknown", "b")],
            get + [(":status", "200")], get + [(":", "b")], get + [(":path", "/b")], get + [("X-A", "b")], get + [("x a", "b")],
            get + [("x-a:", "b")], get + [("", "b")], get + [("x-\u{E9}", "b")], get + [("x-a", "b\0")], get + [("x-a", "b\r")],
            get + [("x-a", "b\u{1}and a line end far behind it\n")], get + [("connection", "x")], get + [("keep-alive", "x")],
            get + [("proxy-connection", "x")], get + [("transfer-encoding", "chunked")], get + [("upgrade", "x")], get + [("te", "gzip")],
            WireFrame.request("GET", ""), WireFrame.request("GET", "/a b"), WireFrame.request("GET", "/a\u{7F}"),
            WireFrame.request("GET\r\n", "/"), WireFrame.request("CONNECT"), get + [(":protocol", "websocket")],
            socket.filter { $0.0 != ":path" }, get.filter { $0.0 != ":scheme" }, [(":method", "CONNECT")],
        ])
    func malformedRequest(_ fields: [(String, String)]) { #expect(!HTTP2MessageForm.isRequest(HPACKHeaders(fields))) }

    @Test("Trailers have the same fields, and none that begins with a colon")
    func trailers() {
        #expect(HTTP2MessageForm.isTrailers([:]))
        #expect(HTTP2MessageForm.isTrailers(HPACKHeaders([("x-a", "b"), ("te", "gzip")])))
        for field in [(":path", "/"), ("X-A", "b"), ("x-a", "b\n"), ("connection", "x")] {
            #expect(!HTTP2MessageForm.isTrailers(HPACKHeaders([("x-b", "b"), field])), "\(field)")
        }
    }
}
