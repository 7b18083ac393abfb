package import GateCore
package import GateIdentity
import Synchronization

/// Feeds of several instances in one process, which the test cuts and heals: what is published arrives before `publish` returns.
package final class ChangeHub: Sendable {
    private let members = Mutex<[Member]>([])
    private let time: any TimeSource

    package init(time: any TimeSource) { self.time = time }

    package func feed() -> Member {
        let member = Member(self, time)
        members.withLock { $0.append(member) }
        return member
    }

    fileprivate func deliver(_ changes: [IdentityChange]) {
        for member in members.withLock({ $0 }) { member.receive(changes) }
    }

    /// One instance's feed.
    package final class Member: ChangeFeed {
        private struct State {
            var follower: (@Sendable (ChangeFeedEvent) -> Void)?
            var isCut = false
            var following: [CheckedContinuation<Void, Never>] = []
        }

        private let hub: ChangeHub
        private let time: any TimeSource
        private let state = Mutex(State())

        fileprivate init(_ hub: ChangeHub, _ time: any TimeSource) {
            self.hub = hub
            self.time = time
        }

        package var isShared: Bool { true }

        package func publish(_ changes: [IdentityChange]) async throws {
            if state.withLock({ $0.isCut }) { throw StorageError.unavailable(reason: "cut") }
            hub.deliver(changes)
        }

        package func follow(_ follower: @escaping @Sendable (ChangeFeedEvent) -> Void) async {
            follower(.began(time.monotonic()))
            let waiting = state.withLock { state in
                state.follower = follower
                defer { state.following = [] }
                return state.following
            }
            for continuation in waiting { continuation.resume() }
            let (ends, end) = AsyncStream<Never>.makeStream()
            await withTaskCancellationHandler {
                for await _ in ends {}
            } onCancel: {
                end.finish()
            }
            state.withLock { $0.follower = nil }
        }

        /// Returns once somebody follows.
        package func awaitFollower() async {
            await withCheckedContinuation { continuation in
                let isThere = state.withLock { state in
                    if state.follower == nil { state.following.append(continuation) }
                    return state.follower != nil
                }
                if isThere { continuation.resume() }
            }
        }

        fileprivate func receive(_ changes: [IdentityChange]) {
            let follower = state.withLock { $0.isCut ? nil : $0.follower }
            for change in changes { follower?(.change(change)) }
        }

        /// Nothing arrives any more, in either direction; the follower is told of it or, as with a cable pulled, is not.
        package func cut(isNoticed: Bool = true) {
            let follower = state.withLock { state in
                state.isCut = true
                return state.follower
            }
            if isNoticed { follower?(.lost) }
        }

        package func heal() {
            let follower = state.withLock { state in
                state.isCut = false
                return state.follower
            }
            follower?(.began(time.monotonic()))
        }

        /// The feed says that it is alive.
        package func confirm() {
            let follower = state.withLock { $0.isCut ? nil : $0.follower }
            follower?(.current(asOf: time.monotonic()))
        }
    }
}
