package import GateCore
import Synchronization

/// A part of the system whose health is told of.
package protocol HealthComponent: Sendable {
    /// As in the answer's `checks`: `database`.
    var name: String { get }
    /// What the answer says where it is unhealthy: nothing internal.
    var failure: String { get }
    /// Whether it is told of now: what nobody has set up is not.
    var isListed: Bool { get }
    /// Looks now. Bounded in time; what is wrong goes into the log, not into the answer.
    func check() async -> ComponentHealth
}

extension HealthComponent {
    package var failure: String { "Connection failed" }
    package var isListed: Bool { true }
}

package struct ComponentHealth: Hashable, Sendable {
    package enum Status: String, Sendable {
        case healthy
        /// Something stands in for it.
        case degraded
        /// It is down, and nothing can do without it.
        case unhealthy
    }

    package var status: Status
    package var latency: Duration

    package init(status: Status, latency: Duration) {
        self.status = status
        self.latency = latency
    }
}

/// What the health calls answer from.
package final class HealthReport: Sendable {
    package let version: String
    private let components: [any HealthComponent]
    private let startedAt: MonotonicInstant
    private let time: any TimeSource
    private let isStopping = Mutex(false)

    package init(version: String, components: [any HealthComponent], time: any TimeSource) {
        self.version = version
        self.components = components
        self.time = time
        startedAt = time.monotonic()
    }

    package var uptime: Duration { time.monotonic().since(startedAt) }

    /// From now on the server is not ready: a load balancer shall send new requests elsewhere.
    ///
    /// - Returns: whether it was until now.
    @discardableResult
    package func stop() -> Bool {
        isStopping.withLock { isStopping in
            defer { isStopping = true }
            return !isStopping
        }
    }

    package struct Check: Sendable {
        package let name: String
        package let health: ComponentHealth
        let failure: String
    }

    package func check() async -> (status: ComponentHealth.Status, checks: [Check]) {
        var checks: [Check] = []
        for component in components where component.isListed {
            checks.append(Check(name: component.name, health: await component.check(), failure: component.failure))
        }
        let statuses = checks.map(\.health.status)
        let worst: ComponentHealth.Status = statuses.contains(.unhealthy) ? .unhealthy : statuses.contains(.degraded) ? .degraded : .healthy
        return (worst, checks)
    }

    /// Whether requests should be sent here.
    package func isReady() async -> Bool {
        guard !isStopping.withLock({ $0 }) else { return false }
        return await check().status != .unhealthy
    }
}
