import ServiceLifecycle
import Synchronization

/// The certificates' life among the other services: it begins once everything listens, for challenges have to be answered.
struct CertificateService: Service {
    let listening: Listening
    let certificates: ServerCertificates

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await listening.wait()
            await certificates.run()
        }
    }
}

/// Who waits until all listeners are there.
final class Listening: Sendable {
    private let (events, continuation) = AsyncStream<Void>.makeStream()
    private let missing: Mutex<Int>

    init(listeners: Int) { missing = Mutex(listeners) }

    /// - Returns: whether it was the last one.
    func started() -> Bool {
        let isLast = missing.withLock { missing in
            missing -= 1
            return missing == 0
        }
        if isLast { continuation.finish() }
        return isLast
    }

    /// Returns early where the task is cancelled.
    func wait() async { for await _ in events {} }
}
