import GateCore
import GateTesting
import Testing

@Suite("JSON")
struct JSONTests {
    /// After JSONTestSuite (Seriot, "Parsing JSON is a minefield"): what every parser must accept.
    static let accepted: [(String, JSON)] = [
        ("null", .null), (" true\t\r\n", true), ("false", false), ("0", 0), ("-0", 0), ("-1", -1), ("123", 123), ("[]", []), ("{}", [:]),
        ("9223372036854775807", 9_223_372_036_854_775_807), ("9223372036854775808", .number(9_223_372_036_854_775_808)),
        ("-9223372036854775808", .integer(.min)), ("1.5", .number(1.5)), ("1E2", .number(100)), ("1e+2", .number(100)),
        ("1.25e-2", .number(0.0125)), ("0e1", .number(0)), ("1e-400", .number(0)), ("[1,2 , 3]", [1, 2, 3]), ("[[[]]]", [[[]]]),
        ("\"\"", ""), (#""a\"b\\c\/d\b\f\n\r\te""#, "a\"b\\c/d\u{8}\u{c}\n\r\te"), (#""\u0041\u00e9\u20AC""#, "Aé€"),
        (#""\uD83D\uDE00""#, "😀"), (#""\uDBFF\uDFFF""#, "\u{10FFFF}"), (#""\u0000""#, "\0"), ("\"é€😀\u{7F}\"", "é€😀\u{7F}"),
        (#"{"a":1,"b":{"c":[null,true]}}"#, ["a": 1, "b": ["c": [.null, true]]]), (#"{"":0}"#, ["": 0]),
        (#"{"\u0061":1}"#, ["a": 1]), (" [ 1 ] ", [1]), (#"{"a":1,"A":2}"#, ["a": 1, "A": 2]),
    ]

    @Test func accepts() throws {
        for (text, value) in Self.accepted {
            #expect(try JSON(parsing: text.utf8) == value, "\(text)")
            #expect(try JSON(parsing: Array(text.utf8)[...]) == value, "\(text)")
        }
    }

    @Test(
        "What is not JSON is refused",
        arguments: [
            "", " ", "nul", "nulll", "True", "truefalse", "[", "]", "{", "}", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1,,2]", "[1}",
            "{\"a\"",
            "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{a:1}", "{'a':1}", "{1:1}", "{\"a\" 1}", "{\"a\",1}", "{\"a\":1 \"b\":2}",
            "{,}", "01", "-",
            "-01", "+1", ".5", "1.", "1.e1", "1e", "1e+", "1ee2", "0x10", "1_000", "NaN", "Infinity", "-Infinity", "1e400", "-1e999999",
            "1 2", "\"",
            "\"a", "'a'", "\"\\x41\"", "\"\\\"", "\"\\u\"", "\"\\u12\"", "\"\\u12G4\"", "\"\\uD800\"", "\"\\uDC00\"", "\"\\uD800\\uD800\"",
            "\"\\uD800x\"",
            "\"\\uD800\\n\"", "\"\\ud83d\\u\"", "\"\\a\"", "\"a\nb\"", "\"a\tb\"", "\"\0\"", "[1]x", "[] []", "//c\n1", "/**/1",
            "\u{FEFF}1", "\u{A0}1",
            "[1]\0", "\u{c}1", "\u{2028}1", "１", "{\"a\":1,\"a\":1}", "{\"a\":1,\"\\u0061\":2}", "{\"b\":{\"a\":1,\"c\":0,\"a\":2}}", "nan",
            "\\u0031", "\"\\",
        ])
    func refuses(text: String) {
        #expect(throws: JSONSyntaxError.self) { try JSON(parsing: text.utf8) }
    }

    @Test(
        "Text that is not UTF-8 is refused",
        arguments: [
            [0xFF], [0xC3], [0xC3, 0x28], [0xC0, 0xAF], [0xC1, 0xBF], [0xE0, 0x80, 0xAF], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0x80],
            [0xF4, 0x90, 0x80, 0x80], [0xF0, 0x80, 0x80, 0xAF], [0xF5, 0x80, 0x80, 0x80], [0xE2, 0x82],
        ] as [[UInt8]])
    func refusesBrokenUTF8(bytes: [UInt8]) {
        for text in [[0x22] + bytes + [0x22], [0x22, 0x5C, 0x6E] + bytes + [0x22], bytes] as [[UInt8]] {
            #expect(throws: JSONSyntaxError.self) { try JSON(parsing: text) }
        }
    }

    @Test("Nesting ends at the stated depth, however deep the text goes") func depth() throws {
        func nested(_ depth: Int) -> [UInt8] { Array(repeating: 0x5B, count: depth) + Array(repeating: 0x5D, count: depth) }
        #expect(throws: Never.self) { try JSON(parsing: nested(JSON.maximumDepth)) }
        #expect(throws: JSONSyntaxError.self) { try JSON(parsing: nested(JSON.maximumDepth + 1)) }
        #expect(throws: JSONSyntaxError.self) { try JSON(parsing: nested(1_000_000)) }
        #expect(throws: JSONSyntaxError.self) { try JSON(parsing: Array(repeating: "{\"a\":", count: 200_000).joined().utf8) }
        #expect(throws: Never.self) {
            try JSON(parsing: Array(("[" + Array(repeating: "[]", count: 500).joined(separator: ",") + "]").utf8))
        }
    }

    @Test(
        "A fault is told with its line and column",
        arguments: [
            ("", 1, 1), ("{\"a\": x}", 1, 7), ("{\n  \"a\": 1,\n  \"b\" 2\n}", 3, 7), ("[1,\n2,\n\n  oops]", 4, 3), ("\n\n\"\\q\"", 3, 3),
            ("{\"é\": ?}", 1, 8), ("{\"a\":1,\n\"a\":2}", 2, 1), ("[1", 1, 3), ("[1\n", 2, 1), ("[\"a\nb\"]", 1, 4),
        ])
    func position(text: String, line: Int, column: Int) {
        let error = #expect(throws: JSONSyntaxError.self) { try JSON(parsing: text.utf8) }
        #expect(error?.line == line)
        #expect(error?.column == column)
        #expect(error?.message.isEmpty == false)
    }

    @Test func readsMembers() throws {
        let value = try JSON(parsing: #"{"s":"x","i":-7,"b":true,"n":null,"a":[1],"o":{"k":1}}"#.utf8)
        #expect(value["s"]?.string == "x")
        #expect(value["i"]?.integer == -7)
        #expect(value["b"]?.bool == true)
        #expect(value["n"]?.isNull == true)
        #expect(value["a"]?.array == [1])
        #expect(value["o"]?["k"] == 1)
        #expect(value["missing"] == nil)
        #expect(value["s"]?["x"] == nil)
        #expect(value["s"]?.integer == nil)
        #expect(value.members?.map(\.name) == ["s", "i", "b", "n", "a", "o"])
    }

    // MARK: Writing

    @Test func writes() {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("text", "a\"b\\c\n\u{1}\u{7F}é")
        writer.member("none", nil as String?)
        writer.member("number", -42 as Int64)
        writer.member("least", Int64.min)
        writer.member("flag", false)
        writer.member("time", Timestamp(seconds: 0))
        writer.name("list")
        writer.beginArray()
        writer.value(1.5)
        writer.value(Double.nan)
        writer.value(-Double.infinity)
        writer.null()
        writer.beginArray()
        writer.endArray()
        writer.beginObject()
        writer.endObject()
        writer.value("x")
        writer.endArray()
        writer.member("tree", ["k": [1, .null]] as JSON)
        writer.endObject()
        #expect(
            String(decoding: writer.bytes, as: UTF8.self)
                == #"{"text":"a\"b\\c\n\u0001\u007fé","none":null,"number":-42,"least":-9223372036854775808,"flag":false,"#
                + #""time":"1970-01-01T00:00:00.000Z","list":[1.5,null,null,null,[],{},"x"],"tree":{"k":[1,null]}}"#)
    }

    @Test("Whatever is written is read back as it was", arguments: (1...20).map(UInt64.init))
    func roundTrip(seed: UInt64) throws {
        let random = SeededEntropy(seed: seed)
        for _ in 0..<100 {
            let value = Self.value(random, depth: 0)
            #expect(try JSON(parsing: value.bytes) == value, "\(value.text)")
            #expect(try JSON(parsing: value.text.utf8).bytes == value.bytes)
        }
    }

    @Test("No damage to a text makes the parser fail otherwise than with an error", arguments: (1...10).map(UInt64.init))
    func damagedTexts(seed: UInt64) {
        let random = SeededEntropy(seed: seed)
        for _ in 0..<200 {
            var bytes = Self.value(random, depth: 0).bytes
            for _ in 0..<random.number(in: 1...4) {
                let place = random.number(in: 0...bytes.count - 1)
                switch random.number(in: 0...2) {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.insert(Array("\"\\{}[]:,u0-e.".utf8)[random.number(in: 0...12)], at: place)
                default: if bytes.count > 1 { bytes.remove(at: place) }
                }
            }
            // What is still JSON must survive a round trip.
            guard let value = try? JSON(parsing: bytes) else { continue }
            #expect((try? JSON(parsing: value.bytes)) == value)
        }
    }

    private static func value(_ random: SeededEntropy, depth: Int) -> JSON {
        switch random.number(in: 0...(depth > 5 ? 4 : 6)) {
        case 0: return .null
        case 1: return .bool(random.number(in: 0...1) == 1)
        case 2: return .integer(Int64(bitPattern: random.next() >> UInt64(random.number(in: 0...63))))
        case 3:
            let number = Double(bitPattern: random.next())
            return number.isFinite ? .number(number) : .number(0.5)
        case 4: return .string(text(random))
        case 5: return .array((0..<random.number(in: 0...4)).map { _ in value(random, depth: depth + 1) })
        default:
            var members: [JSON.Member] = []
            for index in 0..<random.number(in: 0...4) { members.append(.init("\(index)" + text(random), value(random, depth: depth + 1))) }
            return .object(members)
        }
    }

    private static func text(_ random: SeededEntropy) -> String {
        var text = ""
        for _ in 0..<random.number(in: 0...8) {
            let width = [0x7F, 0x20, 0x7FF, 0xFFFF, 0x10FFFF][random.number(in: 0...4)]
            if let scalar = UnicodeScalar(UInt32(random.number(in: 0...width))) { text.unicodeScalars.append(scalar) }
        }
        return text
    }
}
