import GateCore
import Synchronization

/// What the connections of a pool know together: how many are up, and when connecting may be tried again.
final class PoolCondition: Sendable {
    private struct State {
        var connected = 0
        var failure: StorageError?
        var pause = Duration.zero
        var retryAt = MonotonicInstant(nanoseconds: 0)
        var preparesStatements: Bool
        var conflicts = 0
        var distrustedAt: MonotonicInstant?
        var host = 0
    }

    enum Permission {
        case granted
        /// It failed a moment ago, or somebody else is trying.
        case refused(StorageError)
    }

    private let state: Mutex<State>

    init(preparesStatements: Bool) { state = Mutex(State(preparesStatements: preparesStatements)) }

    private static let shortestPause = Duration.milliseconds(50)
    private static let longestPause = Duration.seconds(2)

    /// Whether to connect now. After a failure one tries at a time, at intervals that double up to two seconds: so many clients as wait
    /// are answered at once, and a server that comes back is not met by a crowd.
    func askToConnect(at now: MonotonicInstant, limit: Duration) -> Permission {
        state.withLock { state in
            guard let failure = state.failure else { return .granted }
            guard now >= state.retryAt else { return .refused(failure) }
            state.retryAt = now + limit
            return .granted
        }
    }

    func connected() {
        state.withLock { state in
            state.connected += 1
            state.failure = nil
            state.pause = .zero
        }
    }

    func disconnected() { state.withLock { $0.connected -= 1 } }

    /// - Parameter lot: between 0 and 1, so that instances do not knock at the same moment.
    func connectingFailed(_ failure: StorageError, at now: MonotonicInstant, lot: Double) {
        state.withLock { state in
            state.failure = failure
            state.pause = min(max(state.pause * 2, Self.shortestPause), Self.longestPause)
            state.retryAt = now + state.pause * (0.5 + lot / 2)
        }
    }

    /// Whether others are connected while connecting fails: theirs is the work meanwhile.
    func leavesWorkToOthers(at now: MonotonicInstant) -> Bool {
        state.withLock { $0.failure != nil && now < $0.retryAt && $0.connected > 0 }
    }

    /// A server has said nothing for longer than it was given: whoever was connected before that must not wait for it as well.
    func distrust(at now: MonotonicInstant) { state.withLock { $0.distrustedAt = now } }

    /// Whether a connection that was made then may be used.
    func trusts(_ madeAt: MonotonicInstant) -> Bool { state.withLock { state in state.distrustedAt.map { $0 < madeAt } ?? true } }

    /// The number of the host that was connected to last: it is tried first. So a primary that was left, and comes back without having been told
    /// that it is none any more, is not returned to.
    var host: Int {
        get { state.withLock { $0.host } }
        set { state.withLock { $0.host = newValue } }
    }

    var connections: Int { state.withLock { $0.connected } }
    var conflicts: Int { state.withLock { $0.conflicts } }
    func countConflict() { state.withLock { $0.conflicts += 1 } }

    var preparesStatements: Bool { state.withLock { $0.preparesStatements } }

    /// - Returns: whether they were until now.
    func stopPreparingStatements() -> Bool {
        state.withLock { state in
            defer { state.preparesStatements = false }
            return state.preparesStatements
        }
    }
}
