package import GateCore

/// How instances that share one database tell each other at once what they have changed: a port.
///
/// What counts is in the database. The feed only keeps what each instance remembers (revocations, sessions by cookie, profiles) from
/// being older than ``MemoryLease/length``, and whoever loses it asks the database until it has caught up.
package protocol ChangeFeed: Sendable {
    /// Whether there can be other instances. Where there cannot, nothing is published and nobody follows.
    var isShared: Bool { get }

    /// Tells all who follow, this instance itself perhaps among them. The changes are committed already.
    ///
    /// A feed whose database tells of them by itself, as with a trigger, has nothing left to do here.
    ///
    /// - Throws: `StorageError`, within a second: some may not have been told. The caller tells it again later.
    func publish(_ changes: [IdentityChange]) async throws

    /// Tells `follower` what is published, until the task is cancelled; connects again by itself, with a back-off.
    ///
    /// The calls are made one after the other, in the order of the events, from any thread; they return at once.
    func follow(_ follower: @escaping @Sendable (ChangeFeedEvent) -> Void) async
}

package enum ChangeFeedEvent: Hashable, Sendable {
    /// From that moment on (or an earlier one) nothing that is published is missed, until `.lost`. What was published before is not told:
    /// it has to be read from the database.
    case began(MonotonicInstant)
    case change(IdentityChange)
    /// The feed is alive: all that had been published by that moment has been told. To be said a few times in each
    /// ``MemoryLease/length``, or what is remembered is not believed any more. The moment is that of asking, not that of the answer.
    case current(asOf: MonotonicInstant)
    /// The connection is gone: something may be missed from now on.
    case lost
}

/// No other instance: what this process has changed, nobody else remembers.
package struct SoleInstance: ChangeFeed {
    package init() {}
    package var isShared: Bool { false }
    package func publish(_ changes: [IdentityChange]) async throws {}
    package func follow(_ follower: @escaping @Sendable (ChangeFeedEvent) -> Void) async {}
}
