import GateCore
import Glibc
import Synchronization

/// Tells callers their hashes, from a thread of the process's own niceness.
///
/// Whoever goes on may need a thread that the runtime starts for it there and then, and that one inherits the niceness of the thread that
/// starts it. Told by the threads that hash, it would stay below all others for good: without a privilege nobody gets back, see
/// setpriority(2).
final class HashingAnswers: Sendable {
    private struct State {
        var waiting: [@Sendable () -> Void] = []
        var isOpen = true
    }

    private let state = Mutex(State())
    private let wake = Semaphore()

    init() {
        let context = Unmanaged.passRetained(self)
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { context in
                Unmanaged<HashingAnswers>.fromOpaque(context!).takeRetainedValue().run()
                return nil
            }, context.toOpaque())
        if code == 0 {
            pthread_detach(thread)
        } else {
            // Out of threads: whoever hashes tells it too.
            context.release()
            state.withLock { $0.isOpen = false }
        }
    }

    func tell(_ answer: @escaping @Sendable () -> Void) {
        let isHanded = state.withLock { state in
            if state.isOpen { state.waiting.append(answer) }
            return state.isOpen
        }
        if isHanded { wake.signal() } else { answer() }
    }

    /// Lets the thread end when all is told.
    func close() {
        state.withLock { $0.isOpen = false }
        wake.signal()
    }

    private func run() {
        // Signals are for the threads that expect them.
        var all = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, nil)
        var isOpen = true
        while isOpen {
            wake.wait()
            let answers = state.withLock { state in
                isOpen = state.isOpen
                defer { state.waiting = [] }
                return state.waiting
            }
            for answer in answers { answer() }
        }
    }
}
