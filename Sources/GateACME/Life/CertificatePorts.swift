package import GateCore
package import GateCrypto

/// Where certificates are served from.
package protocol CertificateInstalling: Sendable {
    /// All that there are, in the place of those before: the next handshake finds them, live connections stay (CHECKLIST 39). Each
    /// serves the names of its leaf; the first counts where two have the same.
    func install(_ certificates: [CertifiedKey]) async
}

/// How time is let pass; tests let a year pass at once.
package protocol Sleeping: Sendable {
    /// Returns when `duration` of the monotonic clock has passed, or earlier where the task is cancelled.
    func sleep(for duration: Duration) async
}

package struct TaskSleep: Sleeping {
    package init() {}

    package func sleep(for duration: Duration) async { try? await Task.sleep(for: duration) }
}
