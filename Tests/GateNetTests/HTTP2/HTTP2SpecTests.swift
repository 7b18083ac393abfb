import GateHTTP
import Testing

@testable import GateNet

/// The cases of h2spec (github.com/summerwind/h2spec), told anew from RFC 9113 and RFC 7541, and judged more strictly in one respect: a
/// connection error must be said before the connection closes.
@Suite("HTTP/2 conformance")
struct HTTP2SpecTests {
    @Test("Frames and streams that everybody sends are taken", arguments: SpecScenario.generic)
    func generic(_ scenario: SpecScenario) async throws { try await play(scenario) }

    @Test("Connections and streams are held to RFC 9113 §3 to §5", arguments: SpecScenario.streams)
    func streams(_ scenario: SpecScenario) async throws { try await play(scenario) }

    @Test("Frames are held to RFC 9113 §6 and §7", arguments: SpecScenario.frames)
    func frames(_ scenario: SpecScenario) async throws { try await play(scenario) }

    @Test("CHECKLIST 33: messages are held to RFC 9113 §8", arguments: SpecScenario.messages)
    func messages(_ scenario: SpecScenario) async throws { try await play(scenario) }

    @Test("CHECKLIST 33: Content-Length tells the truth", arguments: SpecScenario.lengths)
    func lengths(_ scenario: SpecScenario) async throws { try await play(scenario) }

    @Test("Compressed fields are held to RFC 7541", arguments: SpecScenario.compression)
    func compression(_ scenario: SpecScenario) async throws { try await play(scenario) }

    @Test("There are as many cases as h2spec has")
    func count() {
        let all =
            SpecScenario.generic + SpecScenario.streams + SpecScenario.frames + SpecScenario.messages + SpecScenario.compression
        // 146, and one that h2spec plays only with --strict.
        #expect(all.count == 147)
        #expect(Set(all.map(\.id)).count == all.count)
        #expect(all.count { $0.deviation != nil } == 2)
    }

    private func play(_ scenario: SpecScenario) async throws {
        try await TestServer.run(decorator: PriorKnowledge()) { server in try await scenario.play(port: server.port) }
    }
}
