import Synchronization

/// Two feeds as one: what is published goes over both, and memory is believed as long as one of them is alive.
///
/// Whoever begins anew makes the follower catch up, however long the other has been there: it may be dead and not know it yet. What both tell
/// of is told twice, which does no harm.
package final class JoinedChangeFeed: ChangeFeed {
    private let one: any ChangeFeed
    private let other: any ChangeFeed

    package init(_ one: any ChangeFeed, _ other: any ChangeFeed) {
        self.one = one
        self.other = other
    }

    package var isShared: Bool { true }

    package func publish(_ changes: [IdentityChange]) async throws {
        async let first: Void = one.publish(changes)
        async let second: Void = other.publish(changes)
        _ = try await (first, second)
    }

    package func follow(_ follower: @escaping @Sendable (ChangeFeedEvent) -> Void) async {
        let line = Line(follower)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [one] in await one.follow { line.tell($0, of: 0) } }
            group.addTask { [other] in await other.follow { line.tell($0, of: 1) } }
        }
    }

    /// The follower is called under the lock, so that it is told one thing after the other; it returns at once and asks nothing of feeds.
    private final class Line: Sendable {
        private let follower: @Sendable (ChangeFeedEvent) -> Void
        private let isOpen = Mutex([false, false])

        init(_ follower: @escaping @Sendable (ChangeFeedEvent) -> Void) { self.follower = follower }

        func tell(_ event: ChangeFeedEvent, of feed: Int) {
            isOpen.withLock { isOpen in
                switch event {
                case .began: isOpen[feed] = true
                case .lost:
                    isOpen[feed] = false
                    guard !isOpen.contains(true) else { return }
                case .change, .current: guard isOpen[feed] else { return }
                }
                follower(event)
            }
        }
    }
}
