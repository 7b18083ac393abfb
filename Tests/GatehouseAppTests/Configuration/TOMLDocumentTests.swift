import Testing

@testable import GatehouseApp

@Suite("TOML")
struct TOMLDocumentTests {
    static let broken: [(text: String, message: String)] = [
        ("a = ", "1:5: a value is missing"),
        ("a", "1:2: a key without a value"),
        ("= 1", "1:1: a key is expected here"),
        ("a = 1 b = 2", "1:7: something follows the value"),
        ("a = \"x", "1:5: the string is not closed"),
        ("a = \"\"\"x\nb = 1", "1:5: the string is not closed"),
        (#"a = "\q""#, "1:6: an unknown escape"),
        (#"a = "\u0000""#, "1:6: an unknown escape"),
        (#"a = "\uD800""#, "1:6: an unknown escape"),
        ("a = [1, 2", "1:10: the list is not closed"),
        ("a = {b = 1", "1:11: the inline table is not closed"),
        ("a = {b = 1,}", "1:12: a key is expected here"),
        ("a = 1\na = 2", "2:1: \"a\" is defined twice"),
        ("[a]\n[a]", "2:2: \"a\" is defined twice"),
        ("a = {}\n[a.b]", "2:2: \"a\" is defined twice"),
        ("a = []\n[[a]]", "2:3: \"a\" is defined twice"),
        ("[[a]]\n[a]", "2:2: \"a\" is defined twice"),
        ("[a.b]\n[a]\nb.c = 1", "3:1: \"b\" is defined twice"),
        ("a = {b = {}, b.c = 1}", "1:14: \"b\" is defined twice"),
        ("a = 01", "1:5: a value that is no number, true or false"),
        ("a = 1__0", "1:5: a value that is no number, true or false"),
        ("a = yes", "1:5: a value that is no number, true or false"),
        ("a = 9223372036854775808", "1:5: a value that is no number, true or false"),
        ("[a", "1:3: the table's name is not closed"),
        ("[[a]", "1:5: the table's name is not closed"),
        ("a = 1 # \u{7}", "1:7: a comment holds a control character"),
        ("a = '\u{0}'", "1:6: a string holds a control character"),
        ("a = 1\rb = 2", "1:6: something follows the value"),
        ("a = " + String(repeating: "[", count: 100), "1:37: brackets nested too deeply"),
        (Array(repeating: "a", count: 40).joined(separator: ".") + " = 1", "1:66: a key of more than 32 parts"),
    ]

    @Test("What is no TOML is told with its place", arguments: broken)
    func syntax(text: String, message: String) {
        #expect(TOMLDocument(text).errors.map { "\($0.position.line):\($0.position.column): \($0.problem)" } == [message])
    }

    @Test("Reading goes on after a broken line")
    func goesOn() {
        let document = TOMLDocument("a = \nb = 2\nc = oops\n[d]\ne = 5")
        #expect(document.errors.map(\.position.line) == [1, 3])
        #expect(document.root.members.map(\.name) == ["b", "d"])
    }

    static let values: [(text: String, value: RawValue)] = [
        (#""a\tb\u00e9\U0001F600""#, .string("a\tbé😀")),
        (#"'a\tb'"#, .string(#"a\tb"#)),
        ("\"\"", .string("")),
        ("\"\"\"\na\n b\\\n   c\"\"\"", .string("a\n bc")),
        ("\"\"\"\"q\"\"\"\"\"", .string("\"q\"\"")),
        ("'''\na'b''''", .string("a'b'")),
        ("+1_000", .integer(1000)),
        ("-0", .integer(0)),
        ("0xDEAD_beef", .integer(0xDEAD_BEEF)),
        ("0o17", .integer(15)),
        ("0b101", .integer(5)),
        ("true", .bool(true)),
        ("1.5", .other(kind: "a number with a fraction")),
        ("-1e3", .other(kind: "a number with a fraction")),
        ("inf", .other(kind: "a number with a fraction")),
        ("1979-05-27T07:32:00.5-07:00", .other(kind: "a date or time")),
        ("1979-05-27 07:32:00Z", .other(kind: "a date or time")),
        ("07:32:00", .other(kind: "a date or time")),
        ("1979-05-27", .other(kind: "a date or time")),
    ]

    @Test("Values", arguments: values)
    func value(text: String, value: RawValue) {
        let document = TOMLDocument("a = \(text) # note")
        #expect(document.errors == [])
        guard case .scalar(let read) = document.root["a"] else {
            Issue.record("no single value")
            return
        }
        #expect(read == value)
    }
}
