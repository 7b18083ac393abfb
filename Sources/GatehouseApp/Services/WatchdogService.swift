import GateCore
import NIOCore
import ServiceLifecycle

/// Tells the service manager that the server is alive, as long as every event loop still does what it is asked to.
///
/// Goes on while the others stop: finishing what runs may take longer than the watchdog waits.
struct WatchdogService: Service {
    let manager: ServiceManager
    let timeout: Duration
    let group: any EventLoopGroup

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                for loop in group.makeIterator() { try await loop.submit {}.get() }
                manager.isAlive()
                // As sd_watchdog_enabled(3) advises, and sooner: a loop may be busy for a while.
                try await Task.sleep(for: timeout / 4)
            }
        }
    }
}
