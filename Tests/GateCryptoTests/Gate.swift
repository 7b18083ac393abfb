import GateCore

@testable import GateCrypto

/// A clock at which whoever asks for the monotonic time has to wait until it is opened: so a hashing thread is held at the
/// moment when it has begun with a password.
final class Gate: TimeSource {
    private let semaphore = Semaphore()

    func open() { semaphore.signal() }

    func now() -> Timestamp { SystemTime().now() }

    func monotonic() -> MonotonicInstant {
        semaphore.wait()
        semaphore.signal()
        return SystemTime().monotonic()
    }
}
