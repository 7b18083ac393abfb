import GateCore
import Synchronization

/// Until when what this process remembers may be believed, where other instances change the database too.
///
/// It is believed only for ``length`` after the last moment at which the feed was asked and answered that it had told everything. So a
/// revocation is heeded by every instance ``length`` after it was published at the latest, however a connection dies; while all is
/// well it takes as long as a message.
package final class MemoryLease: Sendable {
    /// The bound that the documentation states for a revocation on other instances.
    package static let length = Duration.seconds(1)

    private struct State {
        /// Counts beginnings and losses: a catching up that a loss came between is void.
        var generation: UInt64 = 0
        var isCaughtUp = false
        var currentAsOf: MonotonicInstant?
    }

    /// In nanoseconds of the monotonic clock; all ones where this instance is alone.
    private let end: Atomic<UInt64>
    private let state = Mutex(State())

    init(isShared: Bool) { end = Atomic(isShared ? 0 : .max) }

    /// Whether memory may be believed. Reads the clock only where there are other instances.
    func isValid(_ time: any TimeSource) -> Bool {
        let end = end.load(ordering: .acquiring)
        return end == .max || time.monotonic().nanoseconds < end
    }

    /// The feed has begun: to be called before memory is brought up to date.
    /// - Returns: what to hand to ``caughtUp(_:)``.
    func begin(_ moment: MonotonicInstant) -> UInt64 {
        state.withLock { state in
            state.generation += 1
            state.isCaughtUp = false
            state.currentAsOf = moment
            end.store(0, ordering: .releasing)
            return state.generation
        }
    }

    /// Memory is not up to date any more, although the feed is alive.
    func doubt() -> UInt64 { begin(state.withLock { $0.currentAsOf } ?? MonotonicInstant(nanoseconds: 0)) }

    func lose() {
        state.withLock { state in
            state.generation += 1
            state.isCaughtUp = false
            state.currentAsOf = nil
            end.store(0, ordering: .releasing)
        }
    }

    /// - Returns: `false` where the feed was lost or began anew meanwhile: catch up again.
    @discardableResult
    func caughtUp(_ generation: UInt64) -> Bool {
        state.withLock { state in
            guard state.generation == generation else { return false }
            state.isCaughtUp = true
            extend(&state)
            return true
        }
    }

    func isOpen(_ generation: UInt64) -> Bool { state.withLock { $0.generation == generation } }

    func current(asOf moment: MonotonicInstant) {
        state.withLock { state in
            // After a loss, the answer to what was asked before it proves nothing.
            guard let last = state.currentAsOf else { return }
            state.currentAsOf = max(last, moment)
            extend(&state)
        }
    }

    private func extend(_ state: inout State) {
        guard state.isCaughtUp, let moment = state.currentAsOf else { return }
        end.store((moment + Self.length).nanoseconds, ordering: .releasing)
    }
}
