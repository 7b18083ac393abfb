import GateCore
import GateHTTP
import GateNet
import GateTesting
import Testing

@testable import GateProxy

@Suite("A reload")
struct UpstreamTests {
    private static func rules(_ ports: [Int]) -> UpstreamRules {
        UpstreamRules(servers: ports.map { .init(url: HTTPURL("http://127.0.0.1:\($0)")!) })
    }

    @Test func `keeps connections of servers that stay, unless something is said of them anew`() async throws {
        let client = HTTPClient(egress: .any)
        func upstream(_ rules: UpstreamRules, _ previous: Upstream?) throws -> Upstream {
            try Upstream(rules, site: "a", client: client, adopting: previous, log: LogRecorder().logger)
        }
        let old = try upstream(Self.rules([1, 2]), nil)
        let same = try upstream(Self.rules([3, 2]), old)
        #expect(same.endpoints[1] === old.endpoints[1])
        #expect(same.endpoints[0] !== old.endpoints[0])
        var other = Self.rules([1, 2])
        other.connectTime = .seconds(1)
        let changed = try upstream(other, old)
        #expect(changed.endpoints[0] !== old.endpoints[0])
        #expect(changed.group.servers[0] === old.group.servers[0], "Its health is known all the same.")
        await client.shutDown()
    }

    @Test func `names servers as the operator wrote them`() async throws {
        let client = HTTPClient(egress: .any)
        let rules = UpstreamRules(servers: [
            .init(url: HTTPURL("https://app.internal")!), .init(url: HTTPURL("http://[::1]:8080/base")!),
            .init(url: HTTPURL("http://localhost")!, socket: "/run/app.sock"),
        ])
        let upstream = try Upstream(rules, site: "a", client: client, log: LogRecorder().logger)
        #expect(upstream.reports.map(\.server) == ["https://app.internal", "http://[::1]:8080", "unix:/run/app.sock"])
        await client.shutDown()
    }
}
