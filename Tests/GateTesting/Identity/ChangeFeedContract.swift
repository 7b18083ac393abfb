package import GateCore
package import GateIdentity
import Synchronization
import Testing

/// What every ``ChangeFeed`` does, on a real server: run ``run()`` on each implementation.
package struct ChangeFeedContract: Sendable {
    private let make: @Sendable () async throws -> (any ChangeFeed, any ChangeFeed)
    private let publish: @Sendable (any ChangeFeed, [IdentityChange]) async throws -> Void

    /// - Parameters:
    ///   - make: the feeds of two instances.
    ///   - publish: makes the changes known; for a feed whose database tells of them by itself, by changing that.
    package init(
        make: @escaping @Sendable () async throws -> (any ChangeFeed, any ChangeFeed),
        publish: @escaping @Sendable (any ChangeFeed, [IdentityChange]) async throws -> Void = { try await $0.publish($1) }
    ) {
        self.make = make
        self.publish = publish
    }

    package func run() async throws {
        try await tellsWhatIsPublished()
        try await saysThatItIsAlive()
    }

    package func tellsWhatIsPublished() async throws {
        let (one, other) = try await make()
        let before = SystemTime().monotonic()
        try await following(other) { heard in
            try await heard.wait { !$0.isEmpty }
            guard case .began(let moment)? = heard.events.first else {
                Issue.record("what comes first is \(heard.events.first.map { "\($0)" } ?? "nothing")")
                return
            }
            #expect((before...SystemTime().monotonic()).contains(moment))
            let changes = (0..<50).map { number -> IdentityChange in
                let end = Sample.start + .milliseconds(number)
                return switch number % 3 {
                case 0: .revoked(Revocation(subject: .session(Sample.id()), expiresAt: end))
                case 1: .revoked(Revocation(subject: .token(Sample.id()), expiresAt: end))
                default: .profile(Sample.id())
                }
            }
            for change in changes.prefix(40) { try await publish(one, [change]) }
            try await publish(one, Array(changes.dropFirst(40)))
            try await heard.wait { $0.compactMap(\.change).count >= changes.count }
            #expect(heard.events.compactMap(\.change) == changes, "each once, in their order")
        }
    }

    package func saysThatItIsAlive() async throws {
        let (_, other) = try await make()
        try await following(other) { heard in
            try await heard.wait { $0.compactMap(\.moment).count >= 6 }
            let moments = heard.events.compactMap(\.moment)
            #expect(moments == moments.sorted())
            for (earlier, later) in zip(moments, moments.dropFirst()) {
                #expect(later.since(earlier) < MemoryLease.length, "or memory would be doubted between two")
            }
            #expect(!heard.events.contains(.lost))
        }
    }

    private func following(_ feed: any ChangeFeed, _ body: (Heard) async throws -> Void) async throws {
        let heard = Heard()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await feed.follow { heard.add($0) } }
            try await body(heard)
            group.cancelAll()
        }
    }
}

/// What a follower was told.
package final class Heard: Sendable {
    private let all = Mutex<[ChangeFeedEvent]>([])

    package init() {}

    package var events: [ChangeFeedEvent] { all.withLock { $0 } }

    package func add(_ event: ChangeFeedEvent) { all.withLock { $0.append(event) } }

    /// Returns once it is so; fails after ten seconds.
    package func wait(_ isSo: ([ChangeFeedEvent]) -> Bool) async throws {
        let end = SystemTime().monotonic() + .seconds(10)
        while !isSo(events) {
            try #require(SystemTime().monotonic() < end, "not heard in time; so far: \(events.suffix(10))")
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}

extension ChangeFeedEvent {
    package var change: IdentityChange? { if case .change(let change) = self { change } else { nil } }
    package var moment: MonotonicInstant? { if case .current(let moment) = self { moment } else { nil } }
}
