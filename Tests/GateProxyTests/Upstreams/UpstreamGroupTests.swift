import GateCore
import GateHTTP
import Testing

@testable import GateProxy

@Suite("The choice of an upstream server")
struct UpstreamGroupTests {
    private static let start = MonotonicInstant(nanoseconds: 100_000_000_000)

    private static func rules(
        _ count: Int, _ balance: UpstreamRules.Balance = .roundRobin, failures: Int = 1
    ) -> UpstreamRules {
        var rules = UpstreamRules(servers: (1...count).map { .init(url: HTTPURL("http://127.0.0.1:\(8000 + $0)")!) })
        rules.balance = balance
        rules.maxFailures = failures
        return rules
    }

    private static func indices(_ group: UpstreamGroup, _ count: Int, excluding tried: [Int] = [], at now: MonotonicInstant = start)
        -> [Int?]
    {
        (0..<count).map { _ in group.choose(excluding: tried, at: now)?.index }
    }

    @Test func `round robin takes each in turn`() {
        let chosen = Self.indices(UpstreamGroup(Self.rules(3)), 6).map { $0! }
        #expect(Set(chosen.prefix(3)) == [0, 1, 2])
        #expect(chosen.prefix(3) == chosen.suffix(3))
    }

    @Test func `least connections takes who has the least to do`() {
        let group = UpstreamGroup(Self.rules(3, .leastConnections))
        for _ in 0..<3 { group.servers[0].began() }
        group.servers[1].began()
        for _ in 0..<2 { group.servers[2].began() }
        #expect(Self.indices(group, 3) == [1, 1, 1])
        group.servers[2].ended()
        group.servers[2].ended()
        #expect(Self.indices(group, 3) == [2, 2, 2])
    }

    @Test func `equal loads are shared out`() {
        let chosen = Self.indices(UpstreamGroup(Self.rules(3, .leastConnections)), 3)
        #expect(Set(chosen) == [0, 1, 2])
    }

    @Test(arguments: UpstreamRules.Balance.allCases)
    func `a server that was tried is not asked again`(_ balance: UpstreamRules.Balance) {
        let group = UpstreamGroup(Self.rules(2, balance))
        #expect(Self.indices(group, 4, excluding: [0]) == [1, 1, 1, 1])
        #expect(group.choose(excluding: [0, 1], at: Self.start) == nil)
        #expect(UpstreamGroup(Self.rules(1, balance)).choose(excluding: [0], at: Self.start) == nil)
    }

    @Test(arguments: UpstreamRules.Balance.allCases)
    func `a suspended server is left out while there is another`(_ balance: UpstreamRules.Balance) {
        let group = UpstreamGroup(Self.rules(2, balance))
        #expect(group.servers[0].failed(at: Self.start, group.tolerance) == .left)
        #expect(Self.indices(group, 4) == [1, 1, 1, 1])
        #expect(group.choose(excluding: [1], at: Self.start)?.index == 0, "Rather a doubtful server than none.")
    }

    @Test func `where all are suspended, the one whose time ends first is asked`() {
        let group = UpstreamGroup(Self.rules(3))
        for (delay, index) in [2, 0, 1].enumerated() {
            _ = group.servers[index].failed(at: Self.start + .seconds(delay), group.tolerance)
        }
        #expect(Self.indices(group, 3, at: Self.start + .seconds(3)) == [2, 2, 2])
    }

    @Test func `when a suspension is over, one request tries the server and the rest keep away`() {
        let group = UpstreamGroup(Self.rules(2))
        _ = group.servers[0].failed(at: Self.start, group.tolerance)
        let later = Self.start + .seconds(10)
        let choices = (0..<6).map { _ in group.choose(at: later)! }
        #expect(choices.filter { $0.index == 0 }.map(\.isTrial) == [true])
        #expect(choices.filter { $0.index == 1 }.allSatisfy { !$0.isTrial })
        #expect(group.servers[0].succeeded() == .returned)
        #expect(Set(Self.indices(group, 4, at: later)) == [0, 1])
    }

    @Test func `a single server is asked even while it is suspended`() {
        let group = UpstreamGroup(Self.rules(1))
        _ = group.servers[0].failed(at: Self.start, group.tolerance)
        #expect(Self.indices(group, 2) == [0, 0])
    }

    @Test(arguments: [1, 3]) func `where health checks find all of them down, none is asked`(_ count: Int) {
        let group = UpstreamGroup(Self.rules(count))
        for server in group.servers { for _ in 0..<2 { _ = server.checked(isGood: false) } }
        #expect(group.choose(at: Self.start) == nil)
        _ = group.servers[count - 1].checked(isGood: true)
        #expect(Self.indices(group, 2) == [count - 1, count - 1])
    }

    @Test func `a reload keeps the health and the numbers of the servers that stay`() {
        let old = UpstreamGroup(Self.rules(2))
        old.servers[1].began()
        _ = old.servers[1].failed(at: Self.start, old.tolerance)
        var rules = Self.rules(3)
        rules.servers.removeFirst()
        let new = UpstreamGroup(rules, adopting: old)
        #expect(new.servers.map(\.requests) == [1, 0])
        #expect(new.servers.map(\.inFlight) == [1, 0])
        #expect(Self.indices(new, 3) == [1, 1, 1])
        old.servers[1].ended()
        #expect(new.servers[0].inFlight == 0, "Requests that began before the reload are still counted.")
    }

    @Test func `requests are counted from whatever thread they end on`() async {
        let server = UpstreamServer(.init(url: HTTPURL("http://127.0.0.1:1")!))
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<100 { group.addTask { server.began() } }
        }
        #expect(server.inFlight == 100)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<100 { group.addTask { server.ended() } }
        }
        #expect(server.inFlight == 0)
        #expect(server.requests == 100)
    }
}
