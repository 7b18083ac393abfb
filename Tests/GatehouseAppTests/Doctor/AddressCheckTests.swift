import GateCore
import GateNet
import Testing

@testable import GatehouseApp

@Suite("Doctor: where a name leads")
struct AddressCheckTests {
    static let here4 = IPAddress("198.51.100.7")!
    static let here6 = IPAddress("2001:db8::7")!
    static let there4 = IPAddress("203.0.113.9")!
    static let there6 = IPAddress("2001:db8::9")!
    static let server = LocalAddresses([here4, here6])
    static let behindNAT = LocalAddresses([IPAddress("192.168.1.7")!])

    static func found(_ addresses: IPAddress?..., aliases: [String] = []) -> Lookup {
        let name = DNSName("app.example")!
        return .answer(
            DNSAnswer(
                question: DNSQuestion(name, .a), existence: .found,
                records: addresses.compactMap { $0 }.map { DNSRecord(name, $0.isIPv4 ? .a : .aaaa, timeToLive: 60, .address($0)) },
                aliases: aliases.map { DNSName($0)! }))
    }

    static func nothing(_ existence: DNSAnswer.Existence, aliases: [String] = []) -> Lookup {
        .answer(
            DNSAnswer(
                question: DNSQuestion(DNSName("app.example")!, .a), existence: existence, records: [], aliases: aliases.map { DNSName($0)! }
            ))
    }

    static func failed(_ reason: DNSError.Reason, _ extended: [DNSExtendedError] = [], unchecked: Bool = false) -> Lookup {
        .failed(DNSError(reason, "A of app.example from 192.0.2.53: SERVFAIL", extended: extended), answersUnchecked: unchecked)
    }

    struct Facts: Sendable {
        var ipv4: Lookup
        var ipv6: Lookup = nothing(.noRecords)
        var local = server
        var visits: [Visit] = []
        var servers: [ZoneServer] = []
        var needsPublicAddress = false
    }

    static func visit(_ address: IPAddress, _ outcome: Visit.Outcome) -> Visit {
        Visit(address: address, port: 80, isTLS: false, outcome: outcome)
    }

    static let situations: [Situation<Facts>] = [
        Situation(
            "both addresses are this machine's", Facts(ipv4: found(here4), ipv6: found(here6)),
            Verdict(.ok, "A 198.51.100.7 is this machine's"), Verdict(.ok, "AAAA 2001:db8::7 is this machine's")),
        Situation(
            "the name does not exist", Facts(ipv4: nothing(.noSuchName), ipv6: nothing(.noSuchName)),
            Verdict(
                .problem, "app.example does not exist in the DNS",
                "an A record app.example with 198.51.100.7, and an AAAA record with 2001:db8::7")),
        Situation(
            "the name does not exist, and this machine has no public address",
            Facts(ipv4: nothing(.noSuchName), ipv6: nothing(.noSuchName), local: behindNAT),
            Verdict(.problem, "does not exist", "the public IPv4 address under which this machine is reached")),
        Situation(
            "an alias of nothing",
            Facts(ipv4: nothing(.noSuchName, aliases: ["www.example"]), ipv6: nothing(.noSuchName, aliases: ["www.example"])),
            Verdict(.problem, "app.example is an alias of www.example, which does not exist", "an A record www.example")),
        Situation(
            "the name has no address", Facts(ipv4: nothing(.noRecords)),
            Verdict(.problem, "exists in the DNS, and has no address", "an A record app.example")),
        Situation(
            "a stale AAAA record, the classic",
            Facts(ipv4: found(here4), ipv6: found(there6), visits: [visit(here4, .ours), visit(there6, .timedOut)]),
            Verdict(.ok, "A 198.51.100.7 is this machine's"),
            Verdict(.problem, "AAAA 2001:db8::9 does not lead here: a stale IPv6 record", "Set it to 2001:db8::7")),
        Situation(
            "an AAAA record, and a machine without IPv6",
            Facts(ipv4: found(here4), ipv6: found(there6), local: LocalAddresses([here4])),
            Verdict(.ok, "A"), Verdict(.problem, "a stale IPv6 record", "Remove it: this machine has no public IPv6 address")),
        Situation(
            "the A record is another machine's", Facts(ipv4: found(there4), visits: [visit(there4, .other(Visit.Stranger(status: 200)))]),
            Verdict(
                .problem, "A 203.0.113.9 does not lead here: this machine is 198.51.100.7",
                "Set the A record of app.example to 198.51.100.7")),
        Situation(
            "one of two A records is another machine's", Facts(ipv4: found(here4, there4), visits: [visit(there4, .refused)]),
            Verdict(.ok, "A 198.51.100.7 is this machine's"), Verdict(.problem, "A 203.0.113.9 does not lead here")),
        Situation(
            "NAT that leads back here", Facts(ipv4: found(there4), local: behindNAT, visits: [visit(there4, .ours)]),
            Verdict(.ok, "A 203.0.113.9 leads here, though no interface has it")),
        Situation(
            "a proxy in front that leads here", Facts(ipv4: found(there4), visits: [visit(there4, .ours)]),
            Verdict(.ok, "leads here, though no interface has it")),
        Situation(
            "NAT that does not let us reach ourselves", Facts(ipv4: found(there4), local: behindNAT, visits: [visit(there4, .timedOut)]),
            Verdict(.warning, "Behind NAT that may be the router's doing", "ask from outside: curl -i http://app.example/health")),
        Situation(
            "NAT that leads to something else",
            Facts(ipv4: found(there4), local: behindNAT, visits: [visit(there4, .other(Visit.Stranger(status: 401)))]),
            Verdict(.problem, "did not lead back here", "forwards port 80")),
        Situation(
            "a private address of another machine", Facts(ipv4: found(IPAddress("192.168.1.9")!)),
            Verdict(.problem, "192.168.1.9 is a private address, and none of this machine's", "the public address")),
        Situation(
            "a private address of this machine", Facts(ipv4: found(IPAddress("192.168.1.7")!), local: behindNAT),
            Verdict(.ok, "a private address, which only its own network reaches")),
        Situation(
            "a private address of this machine, and an authority on the Internet",
            Facts(ipv4: found(IPAddress("192.168.1.7")!), local: behindNAT, needsPublicAddress: true),
            Verdict(.problem, "which only its own network reaches: the authority does not", "the public address")),
        Situation(
            "SERVFAIL for both", Facts(ipv4: failed(.serverFailure), ipv6: failed(.serverFailure)),
            Verdict(.problem, "The name servers of app.example fail", "delegated")),
        Situation(
            "SERVFAIL that goes away without DNSSEC",
            Facts(ipv4: failed(.serverFailure, unchecked: true), ipv6: failed(.serverFailure, unchecked: true)),
            Verdict(.problem, "The DNSSEC signatures of app.example do not verify", "https://dnsviz.net/d/app.example/")),
        Situation(
            "SERVFAIL with the reason said",
            Facts(ipv4: failed(.serverFailure, [DNSExtendedError(code: 7)]), ipv6: failed(.serverFailure, [DNSExtendedError(code: 7)])),
            Verdict(.problem, "The DNSSEC signatures", "DS record at the registrar")),
        Situation(
            "SERVFAIL for AAAA alone", Facts(ipv4: found(here4), ipv6: failed(.serverFailure)),
            Verdict(.problem, "The name servers of app.example fail"), Verdict(.ok, "A 198.51.100.7")),
        Situation(
            "silence", Facts(ipv4: failed(.timedOut), ipv6: failed(.timedOut)),
            Verdict(.problem, "No name server answered", "--resolver 9.9.9.9")),
        Situation(
            "a name server that declines", Facts(ipv4: failed(.refused), ipv6: failed(.refused)),
            Verdict(.problem, "declines to answer", "/etc/resolv.conf")),
        Situation(
            "aliases in a circle", Facts(ipv4: failed(.aliasLoop), ipv6: failed(.aliasLoop)),
            Verdict(.problem, "SERVFAIL", "CNAME")),
        Situation(
            "the zone's servers disagree",
            Facts(
                ipv4: found(here4),
                servers: [
                    ZoneServer(name: "ns1.example", answer: .success([here4])), ZoneServer(name: "ns2.example", answer: .success([there4])),
                ]),
            Verdict(.ok, "A 198.51.100.7"),
            Verdict(.warning, "ns1.example says 198.51.100.7; ns2.example says 203.0.113.9", "every address must lead here")),
        Situation(
            "one of the zone's servers is silent",
            Facts(
                ipv4: found(here4),
                servers: [
                    ZoneServer(name: "ns1.example", answer: .success([here4])),
                    ZoneServer(name: "ns2.example", answer: .failure(DNSError(.timedOut, ""))),
                ]),
            Verdict(.ok, "A 198.51.100.7"), Verdict(.warning, "ns2.example (no answer in time)", "take it out of the delegation")),
    ]

    @Test("A table of situations", arguments: situations)
    func situation(_ situation: Situation<Facts>) {
        let facts = situation.facts
        let check = AddressCheck(
            facts: NameFacts(name: "app.example", ipv4: facts.ipv4, ipv6: facts.ipv6, zoneServers: facts.servers, visits: facts.visits),
            local: facts.local, port: 80, needsPublicAddress: facts.needsPublicAddress)
        expect(check.findings(), situation.verdicts)
    }
}
