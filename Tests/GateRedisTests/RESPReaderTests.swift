import GateRedis
import GateTesting
import NIOCore
import Testing

@Suite("Reading RESP3")
struct RESPReaderTests {
    static let values: [(String, RESPValue)] = [
        ("+OK\r\n", .string(Array("OK".utf8))), ("+\r\n", .string([])), (":0\r\n", .integer(0)), (":-17\r\n", .integer(-17)),
        (":+5\r\n", .integer(5)), (":9223372036854775807\r\n", .integer(.max)), ("$0\r\n\r\n", .string([])),
        ("$4\r\na\r\nb\r\n", .string(Array("a\r\nb".utf8))), ("$-1\r\n", .null), ("*-1\r\n", .null), ("_\r\n", .null),
        ("#t\r\n", .boolean(true)), ("#f\r\n", .boolean(false)), (",3.25\r\n", .double(3.25)), (",1e3\r\n", .double(1000)),
        (",inf\r\n", .double(.infinity)), (",-inf\r\n", .double(-.infinity)),
        ("(3492890328409238509324850943850943825024385\r\n", .string(Array("3492890328409238509324850943850943825024385".utf8))),
        ("=7\r\ntxt:abc\r\n", .string(Array("abc".utf8))), ("*0\r\n", .array([])), ("%0\r\n", .map([])),
        ("*2\r\n:1\r\n*1\r\n$1\r\nx\r\n", .array([.integer(1), .array([.string(Array("x".utf8))])])),
        ("~1\r\n#t\r\n", .array([.boolean(true)])), ("%1\r\n+k\r\n_\r\n", .map([.string(Array("k".utf8)), .null])),
        (">2\r\n+pong\r\n*0\r\n", .push([.string(Array("pong".utf8)), .array([])])),
        ("*2\r\n*0\r\n*1\r\n*0\r\n", .array([.array([]), .array([.array([])])])),
    ]

    @Test("each type is read, whole and byte by byte")
    func values() throws {
        for (text, value) in Self.values {
            for step in [text.utf8.count, 1, 3] {
                #expect(try Self.read(Array(text.utf8), step: step) == [value], "\(text.debugDescription) by \(step)")
            }
        }
        let all = Self.values.map(\.0).joined()
        for step in 1...17 { #expect(try Self.read(Array(all.utf8), step: step) == Self.values.map(\.1)) }
    }

    @Test("errors have a code and a message")
    func errors() throws {
        for text in ["-OOM command not allowed\r\n", "!23\r\nOOM command not allowed\r\n"] {
            guard case .error(let error)? = try Self.read(Array(text.utf8), step: 2).first else {
                Issue.record("no error: \(text)")
                continue
            }
            #expect(error.code == "OOM" && error.message.hasPrefix("command not allowed") || text.hasPrefix("!"))
        }
    }

    @Test(
        "what no server sends is a fault, however it is cut",
        arguments: [
            ("x\r\n", RESPFault.unknownType(0x78)), ("\r\n", .malformedLine), (":\r\n", .malformedNumber), (":1x\r\n", .malformedNumber),
            (":--1\r\n", .malformedNumber), (":9223372036854775808\r\n", .malformedNumber), ("+a\n", .malformedLine),
            ("+a\rb\r\n", .malformedLine), ("$-2\r\n", .malformedNumber), ("$+1\r\na\r\n", .malformedNumber),
            ("$1\r\nabc", .missingLineEnd), ("$?\r\n", .malformedNumber), ("*?\r\n", .malformedNumber), ("%-1\r\n", .malformedNumber),
            ("#x\r\n", .malformedLine), ("_x\r\n", .malformedLine), (",x\r\n", .malformedNumber), (",\r\n", .malformedNumber),
            ("(1x\r\n", .malformedNumber), ("=3\r\nabc\r\n", .malformedLine), ("=4\r\nabcd\r\n", .malformedLine),
            ("*1\r\n>1\r\n:1\r\n", .misplaced), ("|1\r\n+a\r\n+b\r\n", .unknownType(0x7C)), ("$99999999999\r\n", .valueTooLarge),
            ("$9999999999999\r\n", .malformedNumber), ("*9999999\r\n", .tooManyElements),
            (String(repeating: "*1\r\n", count: 9) + ":1\r\n", .tooDeep),
            ("+" + String(repeating: "a", count: 65_536) + "\r\n", .lineTooLong),
        ])
    func faults(text: String, fault: RESPFault) {
        for step in [text.utf8.count, 1] {
            #expect(throws: fault, "\(text.prefix(40).debugDescription)") { try Self.read(Array(text.utf8), step: step) }
        }
    }

    @Test("one value is bounded in elements and bytes, many values are not")
    func bounds() throws {
        var limits = RESPLimits()
        limits.elements = 10
        limits.value = 100
        let many = String(repeating: "*2\r\n:1\r\n:2\r\n", count: 100)
        #expect(try Self.read(Array(many.utf8), step: 7, limits: limits).count == 100)
        #expect(throws: RESPFault.tooManyElements) {
            try Self.read(Array("*10\r\n\(String(repeating: ":1\r\n", count: 10))".utf8), step: 64, limits: limits)
        }
        #expect(throws: RESPFault.valueTooLarge) {
            try Self.read(
                Array("*2\r\n$60\r\n\(String(repeating: "a", count: 60))\r\n$60\r\n".utf8) + [UInt8](repeating: 0x61, count: 62), step: 64,
                limits: limits)
        }
    }

    @Test("a key of a map is found, in RESP2's form too")
    func keys() throws {
        for text in ["%2\r\n+a\r\n:1\r\n+role\r\n+master\r\n", "*4\r\n+a\r\n:1\r\n+role\r\n+master\r\n"] {
            let value = try #require(try Self.read(Array(text.utf8), step: 5).first)
            #expect(value["role"]?.text == "master")
            #expect(value["a"]?.integer == 1)
            #expect(value["master"] == nil)
        }
    }

    @Test("a command is an array of bulk strings")
    func commands() {
        var command = RedisCommand(parts: 5)
        command.add("SET")
        command.add("ä")
        command.add([0x0D, 0x0A] as [UInt8])
        command.add(-1205)
        command.add(Int64.min)
        #expect(
            String(buffer: command.buffer) == "*5\r\n$3\r\nSET\r\n$2\r\nä\r\n$2\r\n\r\n\r\n$5\r\n-1205\r\n$20\r\n-9223372036854775808\r\n")
    }

    private static func read(_ bytes: [UInt8], step: Int, limits: RESPLimits = RESPLimits()) throws -> [RESPValue] {
        var reader = RESPReader(limits: limits)
        var buffer = ByteBuffer()
        var values: [RESPValue] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            buffer.writeBytes(rest.prefix(step))
            rest = rest.dropFirst(step)
            while let value = try reader.next(&buffer) { values.append(value) }
        }
        return values
    }
}
