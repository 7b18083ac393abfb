import GateCore
import GateIdentity
import GateLimits
import GateProxy
import Logging
import ServiceLifecycle

/// Deletes what has expired, at the start and then every hour; lets go of memory that limits no longer need, every minute.
struct MaintenanceService: Service {
    let identity: Identity
    let limits: MemoryLimitStore
    let log: Logger

    private static let interval = Duration.seconds(60)
    private static let pruneEvery = 60

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var round = 0
            while !Task.isCancelled {
                limits.sweep()
                if round % Self.pruneEvery == 0 { await prune() }
                round += 1
                try? await Task.sleep(for: Self.interval)
            }
        }
    }

    private func prune() async {
        do {
            let report = try await identity.prune()
            if report.wasPutOff { log.warning("The clock has jumped: expired rows are deleted the next time") }
            log.debug(
                "Expired rows were deleted",
                metadata: [
                    "sessions": "\(report.sessions)", "revocations": "\(report.revocations)", "login_failures": "\(report.loginFailures)",
                ])
        } catch {
            log.warning("Expired rows could not be deleted; trying again in an hour", metadata: ["error": "\(error)"])
        }
    }
}

/// Asks the servers of applications for their health.
struct HealthCheckService: Service {
    let checks: HealthChecks

    func run() async throws {
        await cancelWhenGracefulShutdown { await checks.run() }
    }
}

/// Closes what the others use, after they have ended: services stop in the reverse of their order.
struct ClosingService: Service {
    let close: @Sendable () async -> Void

    func run() async throws {
        try? await gracefulShutdown()
        await close()
    }
}
