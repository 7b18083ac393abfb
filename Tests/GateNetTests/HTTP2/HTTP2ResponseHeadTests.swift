import GateCore
import GateHTTP
import NIOCore
import NIOHPACK
import NIOHTTP1
import Testing

@testable import GateNet

@Suite("Heads of HTTP/2 responses")
struct HTTP2ResponseHeadTests {
    private static func fields(_ head: HPACKHeaders?) -> [String]? { head?.map { "\($0.name): \($0.value)" } }

    private static func head(_ lines: String..., headers: HTTPHeaders = [:], with encoder: inout HTTP2ResponseEncoder) -> HPACKHeaders? {
        var response = Response(.ok, headers: headers)
        for lines in lines { response.encodedFields.append(EncodedFields(lines: Array(lines.utf8))) }
        return encoder.encode(response, length: 5, id: RequestID(value: 7), date: "now")
    }

    @Test("Names are lower case; what is the connection's to say is left out")
    func fields() {
        var encoder = HTTP2ResponseEncoder()
        let head = Self.head(
            "X-Frame-Options: DENY\r\nX-Own:  a b \r\nConnection: x\r\nDATE: then\r\nX-Request-Id: theirs\r\nX-Empty:\r\n",
            headers: ["Set-Cookie": "a=b", "Keep-Alive": "x", "Upgrade": "y", "Content-Length": "9"], with: &encoder)
        #expect(
            Self.fields(head) == [
                ":status: 200", "set-cookie: a=b", "x-frame-options: DENY", "x-own: a b", "x-empty: ", "content-length: 5",
                "x-request-id: \(RequestID(value: 7))", "date: now",
            ])
        #expect(head?.first { $0.name == "set-cookie" }?.indexable == .neverIndexed)
    }

    @Test(
        "CHECKLIST 33: a field that is none makes no head",
        arguments: ["X-A: b", "X-A: b\nX-B: c\r\n", "X-A: b\0\r\n", "X A: b\r\n", ": b\r\n", "X-A\r\n", "\r\n", "X-A: b\r\n\r\n"])
    func unsound(_ lines: String) {
        var encoder = HTTP2ResponseEncoder()
        #expect(Self.head(lines, with: &encoder) == nil)
    }

    @Test("CHECKLIST 33: nor does such a header", arguments: [("X-A", "b\r\nX-B: c"), ("X A", "b"), ("", "b"), ("X-A", "b\0")])
    func unsoundHeader(_ field: (String, String)) {
        var encoder = HTTP2ResponseEncoder()
        #expect(Self.head("", headers: HTTPHeaders([field]), with: &encoder) == nil)
    }

    @Test("What stays the same goes into the table, what changes by its name, and no more than a bound allows")
    func index() {
        var encoder = HTTP2ResponseEncoder()
        func treatment(_ lines: String, _ name: String) -> HPACKIndexing? {
            Self.head(lines, with: &encoder)?.first { $0.name == name }?.indexable
        }
        #expect(treatment("Server: a\r\n", "x-request-id") == .indexable)
        #expect(treatment("Server: a\r\n", "server") == .indexable)
        #expect(treatment("Server: a\r\n", "x-request-id") == .nonIndexable)
        #expect(treatment("X-Own: a\r\n", "x-own") == .nonIndexable)
        #expect(treatment("Server: \(String(repeating: "a", count: 129))\r\n", "server") == .nonIndexable)
        let others = (0..<100).map { treatment("Vary: \($0)\r\n", "vary") }
        #expect(others.count { $0 == .indexable } == HTTP2FieldIndex.capacity - 2)
        #expect(treatment("Server: a\r\n", "server") == .indexable)
        #expect(treatment("Server: b\r\n", "server") == .nonIndexable)
    }

    @Test("Only octets that are the same are sent as the same: equal strings are not enough")
    func canonicallyEqual() {
        var encoder = HTTP2ResponseEncoder()
        for (separator, expected) in [("\u{37E}", HPACKIndexing.nonIndexable), (";", .indexable), ("\u{37E}", .nonIndexable)] {
            let head = Self.head("Strict-Transport-Security: max-age=1\(separator) preload\r\n", with: &encoder)
            #expect(head?.first { $0.name == "strict-transport-security" }?.indexable == expected)
        }
    }

    @Test("Nothing of a trailer goes into the table")
    func trailers() {
        let trailers = HTTP2ResponseHead.trailers(["x-ratelimit-remaining": "5", "server": "a", "x-own": "b"])
        #expect(trailers?.map(\.indexable) == [.nonIndexable, .nonIndexable, .nonIndexable])
    }

    @Test("What a response has in common with the one before is taken from there, and nothing else is")
    func again() {
        var encoder = HTTP2ResponseEncoder()
        let values = ["abc", "abc", "abd", "abe", "xbe", "xbe", "xb", "xbef", "", "a", "abc"]
        for value in values {
            var lines = ""
            for (place, letter) in value.enumerated() { lines += "X-\(place): \(letter)\r\n" }
            let last = ["content-length: 5", "x-request-id: \(RequestID(value: 7))", "date: now"]
            let expected = [":status: 200"] + value.enumerated().map { "x-\($0): \($1)" } + ["x-site: y"] + last
            #expect(Self.fields(Self.head(lines, "X-Site: y\r\n", with: &encoder)) == expected)
        }
        #expect(Self.head("X-0: a\r\n", headers: ["x-other": "b"], with: &encoder)?.first(name: "x-other") == "b")
        var problem = Response(.notFound)
        problem.encodedFields.append(EncodedFields(lines: Array("X-0: a\r\n".utf8)))
        #expect(encoder.encode(problem, length: 0, id: RequestID(value: 7), date: "now")?.first(name: ":status") == "404")
    }

    @Test("A client reads the same head each time, whatever the size of its table", arguments: [0, 100, 4096, UInt32.max])
    func tables(_ size: UInt32) async throws {
        let values = ["a", "b", "a", "a"]
        try await TestServer.run(decorator: PriorKnowledge()) { request in
            .now(Response(.ok, headers: ["server": String(request.target.path.dropFirst()), "x-frame-options": "DENY"]))
        } _: { server in
            let client = try await FrameClient(port: server.port, settings: [(1, size)])
            for (number, value) in values.enumerated() {
                let stream = UInt32(2 * number + 1)
                try await client.send(.headers(stream, WireFrame.request("GET", "/" + value)))
                let answer = try await client.answer(on: stream)
                #expect(answer?.headers.first(name: "server") == value && answer?.headers.first(name: "x-frame-options") == "DENY")
            }
        }
    }

    @Test("Answers that come together are all sent")
    func together() async throws {
        try await TestServer.run(decorator: PriorKnowledge()) { _ in
            .later { .text(.ok, "late") }
        } _: { server in
            let client = try await FrameClient(port: server.port)
            try await client.send((0..<20).map { .headers($0 * 2 + 1, WireFrame.request()) })
            var missing = 20
            while missing > 0, await client.next(where: { $0.text == "late" }) != nil { missing -= 1 }
            #expect(missing == 0)
        }
    }
}
