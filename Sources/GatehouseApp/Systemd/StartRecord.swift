import GateCore
import Glibc
import Logging

/// What ``StartBackoff`` has to remember from one process to the next: a file in the folder that lives as long as the service manager goes
/// on restarting (systemd.exec(5), `RuntimeDirectory=` with `RuntimeDirectoryPreserve=restart`).
struct StartRecord: Sendable {
    private let path: String

    /// `nil` where no service manager restarts this process, or none keeps a folder for it.
    init?(environment: [String: String], manager: ServiceManager) {
        guard manager.isPresent, let folder = environment["RUNTIME_DIRECTORY"]?.split(separator: ":").first else { return nil }
        path = folder + "/starts"
    }

    /// To be called before anything is opened. A signal ends the wait, and the process with it.
    func wait(_ time: any TimeSource, manager: ServiceManager, log: Logger) async throws {
        let before = (try? TextFile(path: path)).flatMap { StartBackoff($0.text) }
        let start = StartBackoff(after: before, at: time.monotonic())
        // Not worth failing for: without it this start counts for none.
        try? AtomicFile.write(Array(start.text.utf8), to: path)
        guard start.wait > .zero else { return }
        log.warning("The last starts ended early: waiting", metadata: ["starts": "\(start.early)", "wait": "\(start.wait)"])
        manager.isWaiting(status: "Waiting \(start.wait): the last \(start.early) starts ended early")
        try await Task.sleep(for: start.wait)
    }

    /// This start ends in good order, or for a reason that only a person can mend.
    func forget() { unlink(path) }
}
