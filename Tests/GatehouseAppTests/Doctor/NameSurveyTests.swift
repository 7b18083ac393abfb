import GateCore
import GateNet
import Testing

@testable import GatehouseApp

@Suite("Doctor: asking about a name")
struct NameSurveyTests {
    private static let name = DNSName("app.example.org")!
    private static let zone = DNSName("example.org")!
    private static let address = IPAddress("127.0.0.1")!

    /// What is learnt where one server is the resolver and, on the same port, every server of the zone.
    private func examine(_ answer: @escaping @Sendable (inout DNSMessage) -> Void) async throws -> NameFacts {
        let server = try await StandInResolver.open(answer)
        let client = DNSClient(ResolverConfiguration(servers: [server.address], attempts: 1))
        let facts = await NameSurvey(client, zonePort: server.address.port).examine(Self.name, needsCAA: true)
        try await server.close()
        return facts
    }

    @Test("Addresses, the zone's own servers and CAA are asked for")
    func everything() async throws {
        let facts = try await examine { message in
            let question = message.questions[0]
            func answer(_ data: DNSRecord.Content) { message.answers.append(DNSRecord(question.name, question.type, timeToLive: 1, data)) }
            switch (question.type, question.name) {
            case (.a, Self.name): answer(.address(message.wantsRecursion ? Self.address : IPAddress("192.0.2.9")!))
            case (.a, DNSName("ns.example.org")): answer(.address(Self.address))
            case (.ns, Self.zone): answer(.name(DNSName("ns.example.org")!))
            case (.caa, Self.zone): answer(.caa(CAARecord(tag: "issue", value: "ca.example")))
            default: break
            }
        }
        #expect(facts.addresses == [Self.address])
        #expect(facts.zoneServers == [ZoneServer(name: "ns.example.org", answer: .success([IPAddress("192.0.2.9")!]))])
        #expect(try facts.caa.get().domain == Self.zone)
    }

    @Test("An answer that comes only without DNSSEC is told from servers that fail altogether")
    func broken() async throws {
        let bogus = try await examine { message in
            message.code = message.isCheckingDisabled ? .noError : .serverFailure
        }
        guard case .failed(_, answersUnchecked: true) = bogus.ipv4 else {
            return #expect(bogus.ipv4 == .failed(DNSError(.serverFailure, ""), answersUnchecked: true))
        }
        let failing = try await examine { $0.code = .serverFailure }
        guard case .failed(_, answersUnchecked: false) = failing.ipv4 else {
            return #expect(failing.ipv4 == .failed(DNSError(.serverFailure, ""), answersUnchecked: false))
        }
    }
}
