import GateHTTP
import NIOCore
import NIOHTTP1
import Testing

@Suite("Request bodies as forms")
struct RequestFormTests {
    private func form(_ type: String?, _ body: String, headers more: HTTPHeaders = [:], limit: Int = 1000) async -> Result<
        RequestForm, Problem
    > {
        var headers = more
        if let type { headers.add(name: "content-type", value: type) }
        let request = Request(
            id: RequestID(value: 1), method: .POST, target: RequestTarget("/")!, headers: headers, body: .bytes(ByteBuffer(string: body)))
        do throws(Problem) { return .success(try await request.form(limit: limit)) } catch { return .failure(error) }
    }

    @Test(
        "JSON and forms give the same fields",
        arguments: [
            ("application/json", #"{"email":"a@b.example","name":"Ann Ö"}"#),
            ("application/json; charset=utf-8", #"{"name":"Ann \u00d6","email":"a@b.example"}"#),
            ("APPLICATION/JSON", #" {"email":"a@b.example","name":"Ann Ö"} "#),
            ("application/x-www-form-urlencoded", "email=a%40b.example&name=Ann+%C3%96"),
            ("application/x-www-form-urlencoded;charset=UTF-8", "name=Ann%20%c3%96&email=a@b.example"),
        ])
    func fields(type: String, body: String) async throws {
        let form = try await form(type, body).get()
        #expect(form.text("email") == "a@b.example")
        #expect(form.text("name") == "Ann Ö")
    }

    @Test(
        "anything else is refused with its reason",
        arguments: [
            ("text/plain", "{}", 415, "Send application/json"), ("application/xml", "{}", 415, "Send application/json"),
            ("application/json; charset=latin1", "{}", 415, "UTF-8"), ("multipart/form-data; boundary=x", "", 415, "Send application/json"),
            ("application/json", "{\n  \"email\": x}", 400, "line 2, column 12"), ("application/json", "", 400, "line 1, column 1"),
            ("application/json", "[1]", 400, "must be a JSON object"), ("application/json", #"{"a":1,"a":2}"#, 400, "twice"),
            ("application/x-www-form-urlencoded", "a=%4", 400, "percent"), ("application/x-www-form-urlencoded", "a=%ff", 400, "UTF-8"),
            ("application/x-www-form-urlencoded", "a=1&a=2", 400, "twice"),
            ("application/json", String(repeating: " ", count: 1001), 413, "1000 bytes"),
        ] as [(String, String, Int, String)])
    func refused(type: String, body: String, status: Int, words: String) async {
        guard case .failure(let problem) = await form(type, body) else {
            Issue.record("accepted")
            return
        }
        #expect(Int(problem.kind.status.code) == status)
        #expect(problem.detail?.contains(words) == true, "\(problem.detail ?? "")")
    }

    @Test("a compressed body, a body without a type, and two types are refused; no body at all is an empty form")
    func types() async throws {
        guard case .failure(let compressed) = await form("application/json", "{}", headers: ["content-encoding": "gzip"]),
            case .failure(let untyped) = await form(nil, "{}"),
            case .failure(let twice) = await form("application/json", "{}", headers: ["content-type": "text/plain"])
        else {
            Issue.record("accepted")
            return
        }
        #expect([compressed, untyped, twice].allSatisfy { $0.kind == .unsupportedMediaType })
        #expect(try await form(nil, "").get().contains("email") == false)
    }

    @Test("faults name every field that is missing, empty or no text")
    func faults() async throws {
        let form = try await form("application/json", #"{"email":"","password":7,"name":null,"org":{}}"#).get()
        let faults = form.faults(required: ["email", "password", "missing"], optional: ["name", "org"])
        #expect(faults.map { "\($0.field) \($0.code)" } == ["email required", "password not_text", "missing required", "org not_text"])
    }
}
