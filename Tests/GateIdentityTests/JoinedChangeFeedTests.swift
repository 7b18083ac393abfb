import GateCore
import GateIdentity
import GateTesting
import Testing

@Suite("Two feeds as one")
struct JoinedChangeFeedTests {
    private struct Joined {
        let one: ChangeHub.Member
        let other: ChangeHub.Member
        let feed: JoinedChangeFeed
        let heard = Heard()

        init() {
            let time = ManualTime()
            one = ChangeHub(time: time).feed()
            other = ChangeHub(time: time).feed()
            feed = JoinedChangeFeed(one, other)
        }
    }

    private func following(_ body: (Joined) async throws -> Void) async throws {
        let joined = Joined()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await joined.feed.follow { joined.heard.add($0) } }
            await joined.one.awaitFollower()
            await joined.other.awaitFollower()
            try await body(joined)
            group.cancelAll()
        }
    }

    @Test("each that begins is told, and only the loss of both is a loss")
    func loss() async throws {
        try await following { joined in
            #expect(joined.heard.events.count { if case .began = $0 { true } else { false } } == 2)
            joined.one.cut()
            #expect(!joined.heard.events.contains(.lost))
            joined.other.cut()
            #expect(joined.heard.events.last == .lost)
            joined.one.heal()
            joined.other.heal()
            #expect(joined.heard.events.count { if case .began = $0 { true } else { false } } == 4)
        }
    }

    @Test("what one tells is told, alive or changed; a lost one's word counts no more")
    func voices() async throws {
        try await following { joined in
            let change = IdentityChange.profile(Sample.id())
            try await joined.feed.publish([change])
            #expect(joined.heard.events.compactMap(\.change) == [change, change], "by each")
            joined.one.cut()
            await #expect(throws: StorageError.self) { try await joined.feed.publish([.everything]) }
            #expect(joined.heard.events.compactMap(\.change) == [change, change, .everything], "the other has told all the same")
            joined.one.confirm()
            #expect(joined.heard.events.compactMap(\.moment).isEmpty)
            joined.other.confirm()
            #expect(joined.heard.events.compactMap(\.moment).count == 1)
        }
    }
}
