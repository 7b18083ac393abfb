import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1
import Testing

@testable import GateACME

@Suite("What an authority answers, read strictly")
struct ProtocolTests {
    /// RFC 8555 §7.1.1.
    @Test("the RFC's directory, with members that nobody knows") func directory() throws {
        let directory = try DirectoryObject(
            parsing: Array(
                """
                {"newNonce": "https://example.com/acme/new-nonce", "newAccount": "https://example.com/acme/new-account",
                 "newOrder": "https://example.com/acme/new-order", "newAuthz": "https://example.com/acme/new-authz",
                 "revokeCert": "https://example.com/acme/revoke-cert", "keyChange": "https://example.com/acme/key-change",
                 "renewalInfo": "https://example.com/acme/renewal-info", "zIzF2iA": "https://example.com/random",
                 "meta": {"termsOfService": "https://example.com/acme/terms/2017-5-30", "website": "https://www.example.com/",
                          "caaIdentities": ["example.com"], "externalAccountRequired": true, "profiles": {"classic": "the usual"}}}
                """.utf8))
        #expect(directory.newOrder.description == "https://example.com/acme/new-order")
        #expect(directory.renewalInfo != nil && directory.meta.externalAccountRequired)
        #expect(directory.meta.caaIdentities == ["example.com"] && directory.meta.profiles == ["classic": "the usual"])
    }

    @Test(
        "directories that cannot be used",
        arguments: [
            "", "null", "[]", "{}", #"{"newNonce":"https://a/n","newAccount":"https://a/a"}"#,
            #"{"newNonce":"https://a/n","newAccount":"https://a/a","newOrder":"ftp://a/o"}"#,
            #"{"newNonce":"https://a/n","newAccount":"https://a/a","newOrder":7}"#,
            #"{"newNonce":"https://a/n","newAccount":"https://a/a","newOrder":"https://u:p@a/o"}"#,
            #"{"newNonce":"https://a/n","newAccount":"https://a/a","newOrder":"https://a/o","meta":[]}"#,
            #"{"newNonce":"https://a/n","newNonce":"https://b/n","newAccount":"https://a/a","newOrder":"https://a/o"}"#,
        ]) func malformedDirectory(text: String)
    {
        #expect(throws: MalformedAnswer.self) { try DirectoryObject(parsing: Array(text.utf8)) }
    }

    /// RFC 8555 §7.1.4, with what an authority may add.
    @Test("the RFC's authorization, and tokens that are no path segment") func authorization() throws {
        func authorization(token: String, type: String = "http-01") throws(MalformedAnswer) -> AuthorizationObject {
            try AuthorizationObject(
                parsing: Array(
                    """
                    {"status": "valid", "expires": "2018-09-09T14:09:01.13Z", "identifier": {"type": "dns", "value": "WWW.Example.org"},
                     "wildcard": false, "challenges": [{"url": "https://example.com/acme/chall/prV_B7yEyA4", "type": "\(type)",
                     "status": "valid", "token": \(token), "validated": "2014-12-01T12:05:13.72Z", "more": {}}]}
                    """.utf8))
        }
        let read = try authorization(token: #""DGyRejmCefe7v4NfDGDKfA""#)
        #expect(read.identifier == OrderIdentifier("www.example.org"))
        #expect(read.challenge(.http01)?.token == "DGyRejmCefe7v4NfDGDKfA" && read.challenge(.tlsALPN01) == nil)
        #expect(read.expires?.rfc3339 == "2018-09-09T14:09:01.130Z")
        for token in [
            #""../../etc/passwd""#, #""""#, "null", "7", #""a b""#, "\"a\\u0000\"", "\"" + String(repeating: "a", count: 1025) + "\"",
        ] {
            #expect(throws: MalformedAnswer.self, "\(token)") { try authorization(token: token) }
        }
        // A kind that is not for us may have another form of token, or none.
        #expect(try authorization(token: "null", type: "persist-01").challenges.count == 1)
    }

    @Test("an order that is valid has a certificate") func order() throws {
        var order = FlowScript.order("valid")
        #expect(try OrderObject(parsing: order.bytes).certificate != nil)
        order = .object((order.members ?? []).filter { $0.name != "certificate" })
        #expect(throws: MalformedAnswer.self) { try OrderObject(parsing: order.bytes) }
    }

    @Test("addresses are the same in every spelling") func addresses() throws {
        let reader = try ObjectReader("identifier", ["type": "ip", "value": "2001:DB8:0:0::1"])
        #expect(try OrderIdentifier(reader) == OrderIdentifier("2001:db8::1"))
    }

    @Test("problem documents: whatever is wrong with one does not hide what it says") func problems() throws {
        let json = try JSON(
            parsing: Array(
                #"""
                {"type": "urn:ietf:params:acme:error:malformed", "detail": "Some\u001b[31m\nwords", "status": "400", "title": 7,
                 "subproblems": [{"type": "urn:ietf:params:acme:error:caa", "identifier": {"type": "dns", "value": "a.test"},
                                  "subproblems": [{}]}, 7], "instance": null}
                """#.utf8))
        let problem = try #require(ProblemDocument(json: json))
        #expect(problem.kind == "malformed" && problem.detail == "Some [31m words" && problem.title == nil && problem.status == nil)
        #expect(problem.subproblems.map(\.kind) == ["caa"] && problem.subproblems[0].subproblems.isEmpty)
        #expect(ProblemDocument(json: problem.json) == problem)
        #expect(ProblemDocument(json: [:])?.type == "about:blank")
        #expect(ProblemDocument(json: []) == nil)
        #expect(AuthorityAnswer(status: 502, body: Array("<html>".utf8)).problem?.detail == "HTTP status 502")
        #expect(AuthorityAnswer(status: 200, body: problem.json.bytes).problem == nil)
    }

    @Test(
        "Retry-After",
        arguments: [
            ("0", 0), ("120", 120), ("Fri, 20 Nov 2026 00:02:00 GMT", 120), ("Thu, 19 Nov 2026 00:00:00 GMT", 0),
            ("99999999999999999999999", 864_000), ("Fri, 20 Nov 2099 00:00:00 GMT", 864_000), ("-1", nil), ("soon", nil), ("", nil),
            ("1.5", nil),
        ] as [(String, Int?)]) func retryAfter(text: String, seconds: Int?)
    {
        let now = Timestamp(seconds: 1_795_132_800)
        #expect(AuthorityAnswer.retryAfter(text, at: now) == seconds.map { Duration.seconds($0) })
    }

    @Test(
        "Link, RFC 8288",
        arguments: [
            (#"<https://a.test/1>;rel="alternate""#, ["https://a.test/1"]), ("<https://a.test/1>; rel=alternate", ["https://a.test/1"]),
            (#"<https://a.test/d>;rel="index", <https://a.test/1>;rel="alternate""#, ["https://a.test/1"]),
            (#"<https://a.test/1>; title="a, \"b\"; rel=x"; REL="up Alternate" , <b> ; rel=alternate"#, ["https://a.test/1", "b"]),
            (#"<https://a.test/1>; rel=up; rel=alternate"#, []), ("<https://a.test/1", []), (#"<a>; rel="alternate"#, []), ("", []),
            (",,,", []),
            ("https://a.test/1; rel=alternate", []),
        ] as [(String, [String])]) func links(line: String, targets: [String])
    {
        #expect(LinkField.targets(of: "alternate", in: [line]) == targets)
    }

    @Test("the fields of a response, relative references among them") func answer() {
        let url = HTTPURL("https://a.test:8443/order/1")!
        let answer = AuthorityAnswer(
            OutgoingResponse(
                .created,
                headers: [
                    "Location": "/order/2", "Link": "</alt/1>;rel=alternate", "Content-Type": "Application/JSON; charset=utf-8",
                    "Replay-Nonce": "abc-_1",
                ], body: ByteBuffer(string: "{}")), to: url, at: Timestamp(seconds: 0))
        #expect(answer.location?.description == "https://a.test:8443/order/2")
        #expect(answer.alternates.map(\.description) == ["https://a.test:8443/alt/1"])
        #expect(answer.contentType == "application/json" && answer.nonce == "abc-_1")
        let other = AuthorityAnswer(
            OutgoingResponse(.ok, headers: ["Location": "https://A.test/account/1", "Replay-Nonce": "no nonce!"]), to: url,
            at: Timestamp(seconds: 0))
        #expect(other.locationText == "https://A.test/account/1", "an account's URL is kept byte by byte")
        #expect(other.nonce == nil)
        #expect(url.resolving("//evil.test/") == nil && url.resolving("order") == nil)
        #expect(HTTPURL("https://a.test/ri/")?.appending(segment: "x.y")?.description == "https://a.test/ri/x.y")
    }

    @Test("renewal information: a window that ends before it starts is none") func renewalInfo() throws {
        func info(_ start: String, _ end: String) throws(MalformedAnswer) -> RenewalInfo {
            try RenewalInfo(
                parsing: JSON.object([JSON.Member("suggestedWindow", ["start": .string(start), "end": .string(end)])]).bytes,
                retryAfter: .seconds(1))
        }
        #expect(try info("2021-01-03T00:00:00Z", "2021-01-07T00:00:00Z").start.rfc3339 == "2021-01-03T00:00:00.000Z")
        #expect(throws: MalformedAnswer.self) { try info("2021-01-07T00:00:00Z", "2021-01-03T00:00:00Z") }
        #expect(throws: MalformedAnswer.self) { try info("2021-01-07T00:00:00Z", "2021-01-07T00:00:00Z") }
        #expect(throws: MalformedAnswer.self) { try info("tomorrow", "2021-01-07T00:00:00Z") }
    }
}

@Suite("Nonces")
struct NonceTests {
    @Test("the newest is used first, each once, and a bounded number is kept") func pool() {
        var pool = NoncePool()
        for number in 0..<20 { pool.add("n\(number)") }
        #expect(pool.count == NoncePool.capacity)
        #expect(pool.take() == "n19" && pool.take() == "n18")
        pool.clear()
        #expect(pool.take() == nil)
    }

    @Test("a refused request is sent again with the nonce that came with the refusal") func retried() {
        var exchange = SignedExchange()
        #expect(exchange.begin(nonce: nil) == .fetchNonce)
        #expect(exchange.fetched(AuthorityAnswer(status: 204, nonce: "a")) == .post(nonce: "a"))
        #expect(exchange.answered(Self.refusal(nonce: "b")) == .post(nonce: "b"))
        #expect(exchange.answered(Self.refusal(nonce: nil)) == .fetchNonce)
        let done = AuthorityAnswer(status: 200, nonce: "c")
        #expect(exchange.answered(done) == .done(done))
    }

    @Test("and a bounded number of times") func bounded() {
        var exchange = SignedExchange()
        var sent = 0
        while case .post = exchange.answered(Self.refusal(nonce: "x")) { sent += 1 }
        #expect(sent == SignedExchange.maximumRejections)
    }

    @Test("newNonce without a nonce") func noNonce() {
        let exchange = SignedExchange()
        if case .failed = exchange.fetched(AuthorityAnswer(status: 200)) {} else { Issue.record("it went on") }
        let down = AuthorityAnswer(status: 503)
        #expect(exchange.fetched(down) == .done(down))
    }

    private static func refusal(nonce: String?) -> AuthorityAnswer {
        AuthorityAnswer(status: 400, body: FlowScript.problem("badNonce").bytes, nonce: nonce)
    }
}
