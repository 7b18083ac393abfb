import GateAPI
import GateRedis

/// Redis' health, as the health calls tell of it: never unhealthy, since the process's own store stands in.
struct RedisComponent: HealthComponent {
    let name = "redis"
    let limits: StandInLimitStore

    func check() async -> ComponentHealth {
        switch await limits.health() {
        case .ok(let latency): ComponentHealth(status: .healthy, latency: latency)
        case .standingIn: ComponentHealth(status: .degraded, latency: .zero)
        }
    }
}
