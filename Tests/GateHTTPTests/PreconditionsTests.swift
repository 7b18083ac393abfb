import GateCore
import GateHTTP
import NIOHTTP1
import Testing

@Suite("Conditional requests")
struct PreconditionsTests {
    private static let modified = Timestamp(httpDate: "Fri, 20 Nov 2026 00:00:00 GMT")!
    private static let before = "Thu, 19 Nov 2026 23:59:59 GMT"
    private static let same = "Fri, 20 Nov 2026 00:00:00 GMT"

    @Test(
        "Preconditions are looked at in the order of RFC 9110, section 13.2.2",
        arguments: [
            ([:], .proceed),
            (["if-none-match": #""a""#], .notModified), (["if-none-match": #"W/"a""#], .notModified),
            (["if-none-match": "*"], .notModified),
            (["if-none-match": #""b", W/"c" , "a""#], .notModified), (["if-none-match": #""b""#], .proceed),
            (["if-none-match": "a"], .proceed), (["if-none-match": #""a"#], .proceed), (["if-none-match": #""x,"a""#], .proceed),
            (["if-match": #""a""#], .proceed), (["if-match": "*"], .proceed), (["if-match": #""b""#], .failed),
            (["if-match": #"W/"a""#], .failed), (["if-match": ""], .failed),
            (["if-modified-since": same], .notModified), (["if-modified-since": before], .proceed),
            (["if-modified-since": "yesterday"], .proceed), (["if-none-match": #""b""#, "if-modified-since": same], .proceed),
            (["if-unmodified-since": same], .proceed), (["if-unmodified-since": before], .failed),
            (["if-unmodified-since": "never"], .proceed), (["if-match": #""a""#, "if-unmodified-since": before], .proceed),
            (["if-match": #""b""#, "if-none-match": #""a""#], .failed), (["if-match": #""a""#, "if-none-match": #""a""#], .notModified),
        ] as [(HTTPHeaders, Preconditions.Verdict)])
    func order(_ headers: HTTPHeaders, _ verdict: Preconditions.Verdict) {
        // The fraction of a second is not told, so it must not count.
        let current = Validators(entityTag: #""a""#, lastModified: Self.modified + .milliseconds(700))
        #expect(Preconditions.evaluate(headers, against: current) == verdict)
    }

    @Test("A weak tag matches weakly only")
    func weak() {
        let current = Validators(entityTag: #"W/"a""#, lastModified: nil)
        #expect(Preconditions.evaluate(["if-none-match": #""a""#], against: current) == .notModified)
        #expect(Preconditions.evaluate(["if-match": #"W/"a""#], against: current) == .failed)
        #expect(!Preconditions.allowsRange(["if-range": #"W/"a""#], of: current, at: Self.modified))
    }

    @Test(
        "A part is given only to who has other parts of the same bytes",
        arguments: [
            (nil, 0, true), (#""a""#, 0, true), (#""b""#, 0, false), (#"W/"a""#, 0, false), (same, 2, true), (same, 1, false),
            (before, 60, false), ("*", 60, false), (#""a", "b""#, 60, false),
        ] as [(String?, Int, Bool)])
    func ifRange(_ condition: String?, _ age: Int, _ isAllowed: Bool) {
        let current = Validators(entityTag: #""a""#, lastModified: Self.modified)
        let headers = condition.map { HTTPHeaders([("if-range", $0)]) } ?? [:]
        #expect(Preconditions.allowsRange(headers, of: current, at: Self.modified + .seconds(age)) == isAllowed)
    }
}
