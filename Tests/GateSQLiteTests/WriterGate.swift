import GateCore
import GateSQL
import GateSQLite
import Glibc
import Synchronization

/// Holds the writer inside a body, so that what is written meanwhile queues up.
final class WriterGate: Sendable {
    private let (entered, enteredContinuation) = AsyncStream<Void>.makeStream()
    private let isOpen = Atomic(false)

    /// A write whose body lasts until ``open()``.
    func hold(_ database: SQLiteDatabase) async throws {
        try await database.write { [self] connection in
            _ = try connection.execute("UPDATE newest SET write = write")
            enteredContinuation.finish()
            while !isOpen.load(ordering: .acquiring) { sched_yield() }
        }
    }

    /// Returns when the body runs.
    func held() async { for await _ in entered {} }

    /// Waits, 20 s at most, until so many writes wait behind the one that is held.
    func waitUntilQueued(_ count: Int, in database: SQLiteDatabase) -> Bool {
        let deadline = SystemTime().monotonic() + .seconds(20)
        while database.waitingWrites < count {
            guard SystemTime().monotonic() < deadline else { return false }
            sched_yield()
        }
        return true
    }

    func open() { isOpen.store(true, ordering: .releasing) }
}
