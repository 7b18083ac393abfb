import GateCore
import GateHTTP
import NIOHTTP1
import Testing

@Suite("Cookies")
struct CookiesTests {
    @Test(
        "a cookie is read by its exact name",
        arguments: [
            (["gatehouse=abc"], "abc"), (["a=1; gatehouse=abc; b=2"], "abc"), (["a=1;gatehouse=abc"], "abc"), (["gatehouse=a=b"], "a=b"),
            (["a=1", "gatehouse=abc"], "abc"), (["gatehouse=abc; gatehouse=abc"], "abc"), (["gatehouse="], ""),
            (["gatehouse=abc; gatehouse=def"], nil), (["gatehouse=abc", "gatehouse=def"], nil), (["xgatehouse=abc"], nil),
            (["Gatehouse=abc"], nil), (["gatehouse"], nil), ([], nil), ([";;; ="], nil),
        ] as [([String], String?)])
    func reads(fields: [String], expected: String?) {
        let headers = HTTPHeaders(fields.map { ("Cookie", $0) })
        #expect(headers.cookie("gatehouse").map(String.init) == expected)
    }
}
