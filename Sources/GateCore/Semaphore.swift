#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A counting semaphore for threads that may block, see sem_overview(7). Event loops and tasks must not wait on it.
package final class Semaphore: @unchecked Sendable {
    // `sem_t` is made for being used by several threads; the pointer never changes.
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    package init() { sem_init(semaphore, 0, 0) }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    package func signal() { sem_post(semaphore) }

    /// A signal handler that interrupts it (EINTR) is no reason to go on.
    package func wait() {
        while sem_wait(semaphore) != 0 && errno == EINTR {}
    }

    /// - Returns: whether it was to be had at once.
    package func tryWait() -> Bool {
        while sem_trywait(semaphore) != 0 {
            guard errno == EINTR else { return false }
        }
        return true
    }
}
