import GateCore
import GateIdentity
import GateRedis
import GateTesting
import Testing

@Suite("Changes over Redis")
struct RedisChangeFeedTests {
    private func check(_ body: (ChangeFeedContract) async throws -> Void) async throws {
        try await RedisFixture.with { fixture in
            try await body(
                ChangeFeedContract(make: {
                    let prefix = fixture.newPrefix()
                    func feed() async throws -> RedisChangeFeed {
                        RedisChangeFeed(try await fixture.client({ $0.prefix = prefix }, connections: 1))
                    }
                    return (try await feed(), try await feed())
                }))
        }
    }

    @Test("what one instance publishes arrives at the other")
    func tellsWhatIsPublished() async throws { try await check { try await $0.tellsWhatIsPublished() } }

    @Test("a feed says often enough that it is alive")
    func saysThatItIsAlive() async throws { try await check { try await $0.saysThatItIsAlive() } }

    @Test("CHECKLIST 10: a paused or dead server is a loss within the time that memory is believed for, and it comes back by itself")
    func lossAndRecovery() async throws {
        try await RedisFixture.with { fixture in
            let feed = RedisChangeFeed(try await fixture.client())
            let heard = Heard()
            fixture.run { await feed.follow { heard.add($0) } }
            try await heard.wait { $0.compactMap(\.moment).count > 1 }

            fixture.server.pause()
            let paused = SystemTime().monotonic()
            try await heard.wait { $0.contains(.lost) }
            #expect(SystemTime().monotonic().since(paused) < .milliseconds(1500))
            let last = heard.events.compactMap(\.moment).last ?? paused
            #expect(last <= paused + .milliseconds(50), "nothing that was asked afterwards is confirmed")
            await #expect(throws: StorageError.self) { try await feed.publish([.everything]) }
            fixture.server.goOn()
            try await heard.wait { $0.count(where: \.isBeginning) == 2 }

            fixture.server.stop()
            try await heard.wait { $0.count { $0 == .lost } == 2 }
            try fixture.server.start()
            try await heard.wait { $0.count(where: \.isBeginning) == 3 }
            let change = IdentityChange.profile(Sample.id())
            try await eventually("published again") { (try? await feed.publish([change])) != nil }
            try await heard.wait { $0.contains(.change(change)) }
            #expect(fixture.log.lines.count { $0.hasPrefix("warning Redis does not tell") } == 1, "one warning")
        }
    }

    @Test("two instances over Redis: a log-out at one is heeded by the other, also right after Redis was gone")
    func twoInstances() async throws {
        try await RedisFixture.with { redis in
            try await IdentityFixture.with { fixture in
                let prefix = redis.newPrefix()
                var instances: [IdentityFixture] = []
                for _ in 0..<2 {
                    let client = try await redis.client { $0.prefix = prefix }
                    let instance = try await fixture.instance(changes: RedisChangeFeed(client), clock: SystemTime())
                    redis.run { await instance.identity.followChanges() }
                    try await eventually("caught up") { instance.identity.isMemoryCurrent }
                    instances.append(instance)
                }
                let (one, other) = (instances[0], instances[1])
                let first = try await one.register()
                _ = try other.principal(first)
                try await one.identity.signOut(try one.principal(first))
                try await eventually("heeded") { other.identity.revocations.isRevoked(session: first.session.id) }

                let second = try await one.signIn()
                let principal = try other.principal(second)
                redis.server.stop()
                try await eventually("doubted") { !other.identity.isMemoryCurrent }
                try await one.identity.signOut(principal)
                await #expect(throws: IdentityError.tokenRevoked) { try await other.identity.confirm(principal) }
                try redis.server.start()
                try await eventually("caught up") { other.identity.isMemoryCurrent }
                #expect(throws: IdentityError.tokenRevoked) { try other.principal(second) }
            }
        }
    }
}

extension ChangeFeedEvent {
    fileprivate var isBeginning: Bool { if case .began = self { true } else { false } }
}
