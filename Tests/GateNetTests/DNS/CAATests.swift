import GateTesting
import Testing

@testable import GateNet

@Suite("CAA")
struct CAATests {
    @Test(
        "The records of the nearest name hold",
        arguments: [
            ("a.b.example", ["a.b.example", "b.example"], "a.b.example"), ("a.b.example", ["b.example", "example"], "b.example"),
            ("a.b.example", ["example"], "example"), ("*.b.example", ["*.b.example", "example"], "example"), ("a.b.example", [], nil),
        ] as [(String, [String], String?)])
    func climbing(name: String, holders: [String], expected: String?) async throws {
        try await StandInNameServer.run { query in
            let name = query.question.name.description
            return [query.reply(holders.contains(name) ? [.caa(name, "issue", "ca.example")] : [])]
        } _: { server in
            let client = DNSClient(ResolverConfiguration(servers: [server.address], attempts: 1))
            let found = try await client.relevantCAA(for: DNSName(name)!)
            #expect(found.domain?.description == expected)
            #expect(server.seen.allSatisfy { $0.question.type == .caa && $0.question.name != .root })
        }
    }

    @Test("Where a name on the way has no answer, nobody may issue")
    func failing() async throws {
        try await StandInNameServer.run { query in
            [query.reply { if query.question.name == DNSName("example") { $0.code = .serverFailure } }]
        } _: { server in
            let client = DNSClient(ResolverConfiguration(servers: [server.address], attempts: 1))
            await #expect { try await client.relevantCAA(for: DNSName("a.example")!) } throws: {
                ($0 as? DNSError)?.reason == .serverFailure
            }
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let records: [CAARecord]
        let isWildcard: Bool
        let expected: CAASet.Permission

        init(_ records: [(tag: String, value: String)], wildcard: Bool = false, _ expected: CAASet.Permission) {
            self.records = records.map { CAARecord(tag: $0.tag, value: $0.value) }
            isWildcard = wildcard
            self.expected = expected
        }

        var testDescription: String { records.map { "\($0.tag) \"\($0.value)\"" }.joined(separator: ", ") + (isWildcard ? " for *" : "") }
    }

    private static let cases = [
        Case([], .unrestricted),
        Case([("issue", "ca.example")], .granted),
        Case([("issue", " CA.example ; ")], .granted),
        Case([("issue", "other.example"), ("issue", "ca.example")], .granted),
        Case([("issue", "other.example")], .others(["other.example"])),
        Case([("issue", ";")], .others([])),
        Case([("issue", "")], .others([])),
        Case([("issue", "ca.example; account")], .others([])),
        Case([("issue", "ca.example; a=1; a=2")], .others([])),
        Case([("iodef", "mailto:a@example")], .unrestricted),
        Case([("issuewild", ";")], .unrestricted),
        Case([("issue", "ca.example"), ("issuewild", ";")], wildcard: true, .others([])),
        Case([("issue", "ca.example")], wildcard: true, .granted),
        Case([("issue", "ca.example; validationmethods=dns-01")], .otherMethods(["dns-01"])),
        Case([("issue", "ca.example; validationmethods=dns-01,http-01")], .granted),
        Case([("issue", "ca.example; accounturi=https://ca.example/acct/1")], .granted),
        Case([("issue", "ca.example;accounturi=https://ca.example/acct/2")], .otherAccount("https://ca.example/acct/2")),
    ]

    @Test("Who may issue", arguments: cases)
    func permission(_ scenario: Case) {
        let permission = CAASet(domain: DNSName("example"), records: scenario.records).permission(
            for: ["ca.example"], isWildcard: scenario.isWildcard, methods: ["http-01"], account: "https://ca.example/acct/1")
        #expect(permission == scenario.expected)
    }

    @Test("A critical record of an unknown kind forbids all")
    func critical() {
        let set = CAASet(
            domain: DNSName("example"),
            records: [CAARecord(tag: "issue", value: "ca.example"), CAARecord(isCritical: true, tag: "tbs", value: "1")])
        #expect(set.permission(for: ["ca.example"], isWildcard: false, methods: [], account: nil) == .criticalUnknown(tag: "tbs"))
    }
}
