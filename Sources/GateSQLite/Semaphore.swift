import Glibc

/// A counting semaphore for threads that may block, see sem_overview(7).
///
/// Sendable: `sem_t` is made for being used by several threads; the pointer never changes.
final class Semaphore: @unchecked Sendable {
    private let semaphore: UnsafeMutablePointer<sem_t>

    init() {
        semaphore = .allocate(capacity: 1)
        sem_init(semaphore, 0, 0)
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func signal() { sem_post(semaphore) }

    func wait() {
        while sem_wait(semaphore) != 0 {}  // EINTR is the only failure of a valid semaphore.
    }
}
