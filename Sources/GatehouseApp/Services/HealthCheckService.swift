import GateProxy
import ServiceLifecycle
import Synchronization

/// The applications of the configuration in force: who asks for their health, and who tells of it.
final class WatchedUpstreams: Sendable {
    let checks = HealthChecks()
    private let all = Mutex<[Upstream]>([])

    var current: [Upstream] { all.withLock { $0 } }

    func watch(_ upstreams: [Upstream]) {
        all.withLock { $0 = upstreams }
        checks.watch(upstreams)
    }
}

/// Asks the servers of applications for their health.
struct HealthCheckService: Service {
    let upstreams: WatchedUpstreams

    func run() async throws {
        await cancelWhenGracefulShutdown { await upstreams.checks.run() }
    }
}
