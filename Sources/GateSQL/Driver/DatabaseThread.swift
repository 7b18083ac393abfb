import Glibc
import Synchronization

/// A thread of its own for one C handle, and a way to await its end.
package final class DatabaseThread: Sendable {
    private enum End {
        case running([CheckedContinuation<Void, Never>])
        case over
    }

    private let end = Mutex(End.running([]))

    /// Starts `body` on a new thread called `name` (15 characters at most are shown, see `comm` in proc(5)).
    package init(name: String, _ body: @escaping @Sendable () -> Void) {
        let start = Start {
            Self.nameCurrentThread(name)
            body()
            self.finish()
        }
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, 1 << 20)
        var thread = pthread_t()
        let code = pthread_create(
            &thread, &attributes,
            { argument in
                Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue().body()
                return nil
            }, Unmanaged.passRetained(start).toOpaque())
        pthread_attr_destroy(&attributes)
        // EAGAIN at start-up, with a handful of threads: the process could not work at all.
        precondition(code == 0, "no thread for the database: \(code)")
    }

    /// Returns when the thread's body has.
    package func join() async {
        await withCheckedContinuation { continuation in
            let over = end.withLock { end in
                guard case .running(let waiting) = end else { return true }
                end = .running(waiting + [continuation])
                return false
            }
            if over { continuation.resume() }
        }
    }

    private func finish() {
        let waiting = end.withLock { end -> [CheckedContinuation<Void, Never>] in
            guard case .running(let waiting) = end else { return [] }
            end = .over
            return waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// For top(1) and debuggers; where it fails the thread has the process's name.
    private static func nameCurrentThread(_ name: String) {
        let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        _ = write(file, name, name.utf8.count)
        close(file)
    }

    private final class Start: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
