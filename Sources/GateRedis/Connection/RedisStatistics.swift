import GateCore
import Synchronization

/// Numbers for metrics, since the start.
package final class RedisStatistics: Sendable {
    package struct Counts: Hashable, Sendable {
        /// Connections made.
        package var connections = 0
        /// Attempts to connect that failed.
        package var failedConnections = 0
    }

    private struct State {
        var counts = Counts()
        var lastFailure: String?
    }

    private let state = Mutex(State())

    package var counts: Counts { state.withLock { $0.counts } }

    /// Why there is no connection; for the log.
    var lastFailure: String? { state.withLock { $0.lastFailure } }

    func connected() {
        state.withLock { state in
            state.counts.connections += 1
            state.lastFailure = nil
        }
    }

    func failed(_ error: RedisError) {
        state.withLock { state in
            state.counts.failedConnections += 1
            state.lastFailure = error.description
        }
    }
}
