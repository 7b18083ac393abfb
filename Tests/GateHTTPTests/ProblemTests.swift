import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1
import Testing

@Suite("Problem documents")
struct ProblemTests {
    @Test("RFC 9457: type, title, status, detail and instance, and the members of ours")
    func document() throws {
        let problem = Problem(.invalid, "Look \"here\".", errors: [.init(field: "email", code: "required", message: "Missing.")])
        let response = problem.response(id: RequestID(value: 0xAB), instance: "/api/v1/auth/login", baseURL: "https://app.example.com")
        #expect(response.status == .unprocessableEntity)
        #expect(response.headers["content-type"] == ["application/problem+json"])
        guard case .bytes(let bytes) = response.body else {
            Issue.record("no bytes")
            return
        }
        let document = try JSON(parsing: bytes.readableBytesView)
        #expect(
            document == [
                "type": "https://app.example.com/problems/request/invalid", "title": "The request is invalid", "status": 422,
                "detail": "Look \"here\".", "instance": "/api/v1/auth/login", "code": "request/invalid", "request_id": "00000000000000ab",
                "errors": [["field": "email", "code": "required", "message": "Missing."]],
            ])
    }

    @Test("every 401 says how to authenticate (RFC 9110 §11.6.1)", arguments: ProblemKind.allCases)
    func challenge(kind: ProblemKind) {
        #expect(Problem(kind).headers["www-authenticate"] == (kind.status == .unauthorized ? ["Bearer"] : []))
    }

    @Test(
        "a target that is no origin form is none",
        arguments: ["", "users", "*", "http://host/path", "/a b", "/a\u{0}", "/a#b", "/é", "/\r\n", "/\u{7f}"])
    func targets(text: String) { #expect(RequestTarget(text) == nil) }

    @Test("a target is split at its first question mark, and kept as it was sent")
    func splits() {
        let target = RequestTarget("/a%2fb//c?x=1+2&y=%C3%96&x=3?z")
        #expect(target?.path == "/a%2fb//c")
        #expect(target?.query == "x=1+2&y=%C3%96&x=3?z")
        #expect(target?.queryValue("x") == "1 2")
        #expect(target?.queryValue("y") == "Ö")
        #expect(target?.queryValue("z") == nil)
    }
}
