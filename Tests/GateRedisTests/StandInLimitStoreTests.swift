import GateCore
import GateLimits
import GateTesting
import Testing

@testable import GateRedis

@Suite("When Redis is gone or slow")
struct StandInLimitStoreTests {
    private static let question = LimitQuestion(policy: LimitPolicy(name: "n", limit: 5, window: .seconds(60)), subject: .local)

    private func store(
        _ fixture: RedisFixture, prefix: String? = nil, commandTime: Duration = .milliseconds(250), mustConnect: Bool = true
    ) async throws -> StandInLimitStore {
        let client = try await fixture.client(
            {
                $0.commandTime = commandTime
                if let prefix { $0.prefix = prefix }
            }, mustConnect: mustConnect)
        let store = StandInLimitStore(
            client, memory: MemoryLimitStore(time: SystemTime()), entropy: SystemEntropy(), time: SystemTime(), log: fixture.log.logger)
        fixture.run { await store.run() }
        if mustConnect { await store.awaitRedis(within: .seconds(10)) }
        return store
    }

    @Test("CHECKLIST 35: what was admitted before counts while this process stands in, and decisions are made in place then")
    func standsIn() async throws {
        try await RedisFixture.with { fixture in
            let store = try await store(fixture)
            #expect(store.decideInPlace([Self.question]) == nil)
            for _ in 0..<3 { #expect(try await store.decide([Self.question]).isAdmitted) }
            fixture.server.stop()
            try await eventually("standing in") { !store.isRedisUsed }
            #expect(store.decideInPlace([Self.question])?.isAdmitted == true)
            #expect(try await store.decide([Self.question]).isAdmitted)
            #expect(try await !store.decide([Self.question]).isAdmitted)
            #expect(store.decisionsStoodIn == 3)
            #expect(await store.health() == .standingIn)
            #expect(try await store.list(policy: "n", limit: 9).map(\.used) == [5])

            try fixture.server.start()
            try await eventually("back") { store.isRedisUsed }
            #expect(try await store.decide([Self.question]).tightest.remaining == 4, "what is counted counts in Redis, which is empty")
            guard case .ok(let latency) = await store.health() else {
                Issue.record("not healthy")
                return
            }
            #expect(latency > .zero)
            #expect(fixture.log.lines.count { $0.hasPrefix("warning") } == 1)
            #expect(fixture.log.lines.contains { $0.hasPrefix("notice Redis counts the limits again") })
        }
    }

    @Test("a request waits for a hanging Redis as long as its time limit and no longer, and the next does not wait")
    func hanging() async throws {
        try await RedisFixture.with { fixture in
            let store = try await store(fixture)
            fixture.server.pause()
            let start = SystemTime().monotonic()
            #expect(try await store.decide([Self.question]).isAdmitted)
            let first = SystemTime().monotonic().since(start)
            #expect(first < .milliseconds(750), "\(first)")
            #expect(store.decideInPlace([Self.question])?.isAdmitted == true)
            fixture.server.goOn()
            try await eventually("back") { store.isRedisUsed }
        }
    }

    @Test("without anybody asking, a hang is noticed and told of", .timeLimit(.minutes(1)))
    func watched() async throws {
        try await RedisFixture.with { fixture in
            let store = try await store(fixture)
            fixture.server.pause()
            try await eventually("noticed") { !store.isRedisUsed }
            fixture.server.goOn()
            try await eventually("back") { store.isRedisUsed }
        }
    }

    @Test("CHECKLIST 35: two instances share a limit to the last admission, from many tasks at once")
    func shared() async throws {
        try await RedisFixture.with { fixture in
            let prefix = fixture.newPrefix()
            let stores = [
                try await store(fixture, prefix: prefix, commandTime: .seconds(5)),
                try await store(fixture, prefix: prefix, commandTime: .seconds(5)),
            ]
            let question = LimitQuestion(policy: LimitPolicy(name: "shared", limit: 300, window: .seconds(600)), subject: .local)
            let admitted = try await withThrowingTaskGroup(of: Int.self) { group in
                for task in 0..<8 {
                    group.addTask {
                        var admitted = 0
                        for _ in 0..<100 where try await stores[task % 2].decide([question]).isAdmitted { admitted += 1 }
                        return admitted
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(admitted == 300)
        }
    }

    @Test("without a server it stands in from the beginning, and goes over to it when it comes")
    func late() async throws {
        try await RedisFixture.with { fixture in
            fixture.server.stop()
            let store = try await store(fixture, mustConnect: false)
            await store.awaitRedis(within: .milliseconds(50))
            #expect(!store.isRedisUsed)
            #expect(try await store.decide([Self.question]).isAdmitted)
            try fixture.server.start()
            try await eventually("used") { store.isRedisUsed }
        }
    }

    @Test("connections that are closed on purpose are no failure")
    func closing() async throws {
        try await RedisFixture.with { fixture in
            let store = try await store(fixture)
            store.close()
            fixture.server.stop()
            try await eventually("the connections are gone") {
                (try? await RedisLimitStore(store.client, entropy: SystemEntropy()).probe()) == nil
            }
            #expect(!fixture.log.lines.contains { $0.hasPrefix("warning") })
        }
    }

    @Test("the waits between attempts grow from 20 ms to 2 s, each less by up to half, and begin again after ten seconds of quiet")
    func waits() {
        let entropy = SeededEntropy(seed: 3)
        var delay = ReconnectDelay()
        var expected = ReconnectDelay.first
        for _ in 0..<20 {
            let wait = delay.take(entropy)
            #expect(wait <= expected && wait >= expected / 2)
            expected = min(expected * 2, ReconnectDelay.longest)
        }
        delay.held(for: .seconds(9))
        #expect(delay.take(entropy) >= .seconds(1))
        delay.held(for: .seconds(10))
        #expect(delay.take(entropy) <= ReconnectDelay.first)
    }
}
