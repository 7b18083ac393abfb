import GateHTTP
import NIOCore
import Testing

@testable import GateProxy

@Suite("What a client gets of an answer's fields")
struct ResponseFieldRulesTests {
    private static let security = SiteSecurityHeaders(hsts: .seconds(60), isHTTPSHere: true, isFramedByItself: true)

    private static func passed(_ lines: [String], set: [(String, String)] = [], over scheme: Request.Scheme = .https) -> [String] {
        var changes = FieldChanges()
        changes.set = set.map { (name: $0.0, value: $0.1) }
        let section = FieldSection(reading: ByteBuffer(string: lines.map { "\($0)\r\n" }.joined()))
        let rules = ResponseFieldRules(changes, cookie: nil, security: security)
        return rules.fields(section, connectionOptions: nil, over: scheme, and: EncodedFields([("RateLimit", "x")])!).fields.fields
            .map { "\($0.name): \($0.value)" }
    }

    @Test("Security fields and what is told of limits come behind the application's own")
    func added() {
        let all = [
            "X-Content-Type-Options: nosniff", "Referrer-Policy: strict-origin-when-cross-origin", "X-Frame-Options: SAMEORIGIN",
            "Strict-Transport-Security: max-age=60", "RateLimit: x",
        ]
        #expect(Self.passed(["ETag: x", "Date: now", "Content-Length: 1"]) == ["ETag: x"] + all)
        #expect(Self.passed([]) == all)
        // RFC 6797 §7.2: never over plain HTTP.
        #expect(Self.passed([], over: .http) == all.filter { !$0.hasPrefix("Strict") })
    }

    @Test("Where the application or the operator says something of the kind, in whatever case, that stands alone")
    func theirs() {
        let lines = ["x-content-type-options: x", "REFERRER-POLICY: no-referrer", "Strict-transport-security: max-age=0"]
        #expect(Self.passed(lines, set: [("x-frame-options", "DENY")]) == lines + ["x-frame-options: DENY", "RateLimit: x"])
        let similar = ["X-Frame-Option: a", "X-Frame-Options2: b", "Referrer_Policy: c"]
        #expect(Self.passed(similar).count == similar.count + 5)
    }
}
