import GateCore
import Glibc

/// The service manager that started this process, where one did that wants to be told of its state, see sd_notify(3).
struct ServiceManager: Sendable {
    /// The path of a datagram socket; with `@` in front, a name in the abstract namespace, see unix(7).
    private let address: String?
    /// How often it wants to hear ``isAlive()`` at least, see sd_watchdog_enabled(3).
    let watchdogTimeout: Duration?

    init(environment: [String: String], processID: Int32 = getpid()) {
        let address = environment["NOTIFY_SOCKET"]
        self.address = address.flatMap { $0.hasPrefix("/") || $0.hasPrefix("@") ? $0 : nil }
        let isMeant = environment["WATCHDOG_PID"].map { Int32($0) == processID } ?? true
        watchdogTimeout = environment["WATCHDOG_USEC"].flatMap(Int64.init).flatMap { $0 > 0 && isMeant ? .microseconds($0) : nil }
    }

    /// Whether anybody listens.
    var isPresent: Bool { address != nil }

    func isReady(status: String) { tell("READY=1\nSTATUS=\(status)") }

    /// - Parameter limit: how long it may take, which the manager is asked to wait for.
    func isStopping(within limit: Duration) {
        tell("STOPPING=1\nEXTEND_TIMEOUT_USEC=\(limit.components.seconds * 1_000_000)\nSTATUS=Finishing what runs")
    }

    /// The start is put off.
    func isWaiting(status: String) { tell("STATUS=\(status)") }

    /// To be followed by ``isReady(status:)``.
    /// - Parameter moment: of CLOCK_MONOTONIC: with it, a manager that knows `Type=notify-reload` finds the answer to its signal.
    func isReloading(at moment: MonotonicInstant) { tell("RELOADING=1\nMONOTONIC_USEC=\(moment.nanoseconds / 1000)") }

    func isAlive() { tell("WATCHDOG=1") }

    /// One datagram. It is lost where nobody takes it: the state of the server does not depend on who watches it.
    private func tell(_ message: String) {
        guard let address else { return }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var target = sockaddr_un()
        target.sun_family = sa_family_t(AF_UNIX)
        var path = Array(address.utf8)
        guard path.count < MemoryLayout.size(ofValue: target.sun_path) else { return }
        if path[0] == UInt8(ascii: "@") { path[0] = 0 }
        withUnsafeMutableBytes(of: &target.sun_path) { $0.copyBytes(from: path) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + path.count)
        let bytes = Array(message.utf8)
        withUnsafePointer(to: &target) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
    }
}
