import GateCore
import GateTesting
import Testing

@testable import GateNet

@Suite("DNS messages")
struct DNSMessageTests {
    /// The answer of a real resolver's form: compressed names, an alias, two addresses, EDNS (assembled by hand from RFC 1035 §4.1.4).
    private static let compressed: [UInt8] =
        [0x12, 0x34, 0x81, 0xA0, 0, 1, 0, 3, 0, 0, 0, 1]
        + [3] + Array("wWw".utf8) + [7] + Array("example".utf8) + [3] + Array("com".utf8) + [0, 0, 1, 0, 1]
        + [0xC0, 12, 0, 5, 0, 1, 0, 0, 1, 0x2C, 0, 6, 3] + Array("app".utf8) + [0xC0, 16]
        + [0xC0, 45, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]
        + [0xC0, 45, 0, 1, 0, 1, 0xFF, 0, 0, 60, 0, 4, 192, 0, 2, 2]
        + [0, 0, 41, 4, 0xD0, 0, 0, 0x80, 0, 0, 0]

    @Test("Compressed names are read, whatever their case")
    func reading() throws {
        let message = try DNSMessage(parsing: Self.compressed)
        #expect(message.id == 0x1234 && message.isResponse && message.wantsRecursion && message.offersRecursion && message.isAuthenticated)
        #expect(message.questions == [DNSQuestion(DNSName("www.example.com")!, .a)])
        #expect(message.answers[0].target == DNSName("app.example.com."))
        #expect(message.answers[1...].map(\.address) == [IPAddress("192.0.2.1"), IPAddress("192.0.2.2")])
        #expect(message.answers.map(\.timeToLive) == [300, 60, 0], "a time to live with the first bit set is zero (RFC 2181 §8)")
        #expect(message.extensions?.payloadSize == 1232)
    }

    @Test("Cut anywhere, a message is refused")
    func truncation() {
        for count in Self.compressed.indices {
            #expect(throws: DNSFormatFault.self) { try DNSMessage(parsing: Array(Self.compressed[..<count])) }
        }
        #expect(throws: DNSFormatFault.self) { try DNSMessage(parsing: Self.compressed + [0]) }
    }

    private static let header: [UInt8] = [0, 1, 0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    private static func answer(_ type: UInt8, _ data: [UInt8]) -> [UInt8] {
        [0, 1, 0x80, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, type, 0, 1, 0, 0, 0, 0, 0, UInt8(data.count)] + data
    }

    private static let longName: [UInt8] = (0..<4).flatMap { _ in [63] + [UInt8](repeating: 97, count: 63) }

    private static let malformedMessages: [(String, [UInt8])] = [
        ("a pointer to itself", header + [0xC0, 12, 0, 1, 0, 1]),
        ("a pointer forwards", header + [0xC0, 20, 0, 1, 0, 1, 0, 0]),
        ("two pointers in a circle", header + [1, 97, 0xC0, 12, 0, 1, 0, 1]),
        ("a label of a reserved kind", header + [0x40, 0, 0, 1, 0, 1]),
        ("a name of 257 bytes", header + longName + [0, 0, 1, 0, 1]),
        ("a question of class CH", header + [0, 0, 1, 0, 3]),
        ("an A record of 5 bytes", answer(1, [1, 2, 3, 4, 5])),
        ("an A record of 3 bytes", answer(1, [1, 2, 3])),
        ("an AAAA record of 4 bytes", answer(28, [1, 2, 3, 4])),
        ("a name that leaves its record", answer(5, [3, 97])),
        ("a text that leaves its record", answer(16, [9, 97])),
        ("data beyond a name", answer(5, [0, 0])),
    ]

    @Test("Malformed messages are refused", arguments: malformedMessages)
    func malformed(what: String, bytes: [UInt8]) {
        #expect(throws: DNSFormatFault.self, "\(what)") { try DNSMessage(parsing: bytes) }
    }

    @Test("What is written is read the same")
    func roundTrip() throws {
        var message = DNSMessage(id: 7)
        message.isResponse = true
        message.code = DNSResponseCode(rawValue: 0x123)
        message.questions = [DNSQuestion(DNSName("a.example")!, .caa)]
        message.answers = [
            .caa("a.example", "issue", "letsencrypt.org; validationmethods=http-01", critical: true), .aaaa("a.example", "2001:db8::1"),
            .aaaa("a.example", "::ffff:192.0.2.1"),
            DNSRecord(DNSName("a.example")!, .txt, timeToLive: 1, .text([Array("one".utf8), []])),
            DNSRecord(DNSName("a.example")!, DNSRecordType(rawValue: 99), timeToLive: 1, .other([1, 2, 3])),
        ]
        message.authorities = [.soa("example")]
        message.extensions = DNSExtensions()
        message.extensions?.errors = [DNSExtendedError(code: 6, text: "bogus"), DNSExtendedError(code: 22)]
        #expect(try DNSMessage(parsing: message.encoded) == message)
    }

    @Test("No single changed byte brings the reader down")
    func mutations() {
        let entropy = SeededEntropy()
        var read = 0
        for _ in 0..<20_000 {
            var bytes = Self.compressed
            for _ in 0...entropy.number(in: 0...3) {
                bytes[entropy.number(in: 0...bytes.count - 1)] = UInt8(truncatingIfNeeded: entropy.next())
            }
            if let message = try? DNSMessage(parsing: bytes), !message.isTruncated {
                read += 1
                #expect((try? DNSMessage(parsing: message.encoded)) == message)
            }
        }
        #expect(read > 100, "some still are messages, and are read the same after they were written")
    }

    @Test(
        "Names",
        arguments: [
            ("app.Example.com", "app.example.com"), ("app.example.com.", "app.example.com"), ("*.example.com", "*.example.com"),
            ("a..b", nil), ("", nil), (".", nil), (String(repeating: "a", count: 64) + ".com", nil), ("a b.com", nil),
        ] as [(String, String?)])
    func names(text: String, expected: String?) { #expect(DNSName(text)?.description == expected) }

    @Test("Bytes of a label that are no host name's are shown escaped")
    func escapes() { #expect(DNSName(labels: [[97, 46, 0]])?.description == "a\\046\\000") }
}

@Suite("Name servers")
struct DNSServerTests {
    @Test(
        "Addresses of name servers",
        arguments: [
            ("192.0.2.1", "192.0.2.1"), ("192.0.2.1:53", "192.0.2.1"), ("192.0.2.1:5353", "192.0.2.1:5353"),
            ("2001:db8::1", "2001:db8::1"), ("[2001:db8::1]:54", "[2001:db8::1]:54"), ("[2001:db8::1]", "2001:db8::1"), ("ns.example", nil),
            ("192.0.2.1:0", nil), ("192.0.2.1:65536", nil), ("", nil), (":53", nil),
        ] as [(String, String?)])
    func addresses(text: String, expected: String?) { #expect(DNSServer(text)?.description == expected) }

    @Test(
        "resolv.conf",
        arguments: [
            ("nameserver 192.0.2.1\nnameserver 2001:db8::1\n", ["192.0.2.1", "2001:db8::1"]),
            ("# nameserver 192.0.2.9\n; nameserver 192.0.2.8\n\tnameserver\t192.0.2.1  \n", ["192.0.2.1"]),
            ("nameserver fe80::1%eth0\nnameserver 192.0.2.1", ["192.0.2.1"]),
            (
                "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4",
                ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
            ),
            ("search example.com\n", ["127.0.0.1"]), ("", ["127.0.0.1"]),
        ])
    func resolvConf(text: String, servers: [String]) {
        #expect(ResolverConfiguration(resolvConf: text).servers.map(\.description) == servers)
    }

    @Test("Its options are bounded")
    func options() {
        let configuration = ResolverConfiguration(resolvConf: "options rotate timeout:99 attempts:9 timeout:-1 attempts:x")
        #expect(configuration.timeLimit == .seconds(30) && configuration.attempts == 5)
    }
}
