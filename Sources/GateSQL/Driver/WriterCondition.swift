package import GateCore
import Synchronization

/// Whether the last attempt to write reached the disk, written by the writer and read by the health check; and whether a backup reads,
/// which the writer has to know.
package final class WriterCondition: Sendable {
    private struct State {
        var failure: StorageError?
        var lastProbe: MonotonicInstant?
    }

    private let state = Mutex(State())
    private let longReads = Atomic<Int>(0)

    /// Whether somebody reads for longer than the write-ahead log should wait: a backup.
    package var isReadAtLength: Bool { longReads.load(ordering: .acquiring) > 0 }

    package func longReadBegins() { longReads.wrappingAdd(1, ordering: .acquiringAndReleasing) }
    package func longReadEnds() { longReads.wrappingSubtract(1, ordering: .acquiringAndReleasing) }

    package init() {}

    package var failure: StorageError? { state.withLock { $0.failure } }

    package func writeSucceeded() { state.withLock { $0.failure = nil } }

    /// Remembers `error` where it tells of the medium. What a statement or a body does wrong says nothing about the disk.
    package func writeFailed(_ error: any Error) {
        guard let error = error as? StorageError else { return }
        switch error {
        case .unavailable, .busy, .full, .readOnly, .inputOutput, .corrupt: state.withLock { $0.failure = error }
        case .uniqueViolation, .constraintViolation, .misuse, .schema, .closed: return
        }
    }

    /// Whether the caller should try a write now: the last one failed, and nobody has tried for `interval`.
    package func claimProbe(at now: MonotonicInstant, interval: Duration) -> Bool {
        state.withLock { state in
            guard state.failure != nil else { return false }
            if let last = state.lastProbe, now.since(last) < interval { return false }
            state.lastProbe = now
            return true
        }
    }
}
