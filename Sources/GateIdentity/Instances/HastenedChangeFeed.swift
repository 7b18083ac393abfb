import Synchronization

/// A feed that vouches for what it tells, and another that is often faster: memory is believed as long as the first is alive, and only then.
///
/// The faster one's being alive proves nothing: who is cut off from it publishes nothing over it, and is not missed there. What both tell of is
/// told twice, which does no harm.
package final class HastenedChangeFeed: ChangeFeed {
    private let sure: any ChangeFeed
    private let fast: any ChangeFeed

    package init(_ sure: any ChangeFeed, hastenedBy fast: any ChangeFeed) {
        self.sure = sure
        self.fast = fast
    }

    package var isShared: Bool { true }

    /// What the faster feed does not take arrives all the same.
    package func publish(_ changes: [IdentityChange]) async throws {
        async let hastened: Void? = try? fast.publish(changes)
        try await sure.publish(changes)
        _ = await hastened
    }

    package func follow(_ follower: @escaping @Sendable (ChangeFeedEvent) -> Void) async {
        // The follower is called under the lock, so that it is told one thing after the other; it returns at once and asks nothing of feeds.
        let rule = Mutex(HasteRule())
        let tell: @Sendable (ChangeFeedEvent, HasteRule.Source) -> Void = { event, source in
            rule.withLock { if $0.passes(event, from: source) { follower(event) } }
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [sure] in await sure.follow { tell($0, .sure) } }
            group.addTask { [fast] in await fast.follow { tell($0, .fast) } }
        }
    }
}

/// Which events of the two feeds reach the follower.
package struct HasteRule: Sendable {
    package enum Source: Sendable { case sure, fast }

    private var isSure = false

    package init() {}

    package mutating func passes(_ event: ChangeFeedEvent, from source: Source) -> Bool {
        switch (source, event) {
        case (.sure, .began):
            isSure = true
            return true
        case (.sure, .lost):
            isSure = false
            return true
        case (.sure, _): return true
        // To read everything again makes sense to whoever believes what was read; who does not will read it anyway.
        case (.fast, .change(.everything)): return isSure
        case (.fast, .change): return true
        case (.fast, .began), (.fast, .current), (.fast, .lost): return false
        }
    }
}
