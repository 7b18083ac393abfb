import GateCore
import GateIdentity
import GateLimits
import Logging
import ServiceLifecycle

/// Deletes what has expired, at the start and then every hour; lets go of memory that limits no longer need, every minute.
///
/// Of several instances on one database, one deletes rows: whoever has the lease, which is kept for nearly the hour.
struct MaintenanceService: Service {
    let identity: Identity
    let limits: MemoryLimitStore
    let leases: InstanceLeases
    let log: Logger

    private static let interval = Duration.seconds(60)
    private static let pruneEvery = 60
    static let lease = "maintenance"
    /// Shorter than the time between two: whoever comes an hour later finds it free.
    private static let leaseDuration = Duration.seconds(59 * 60)

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

    func prune() async {
        var lease: Lease?
        do {
            lease = try await leases.acquire(Self.lease, for: Self.leaseDuration).lease
            let report = try await identity.prune(rows: lease != nil)
            guard let held = lease else {
                log.debug("Another instance deletes expired rows")
                return
            }
            if report.wasPutOff {
                log.warning("The clock has jumped: expired rows are deleted the next time")
                // Those of others may not have.
                try await leases.store.release(held)
                return
            }
            log.debug(
                "Expired rows were deleted",
                metadata: [
                    "sessions": "\(report.sessions)", "revocations": "\(report.revocations)", "login_failures": "\(report.loginFailures)",
                ])
        } catch {
            log.warning("Expired rows could not be deleted; trying again in an hour", metadata: ["error": "\(error)"])
            // Where this fails too, it ends by itself.
            if let lease { try? await leases.store.release(lease) }
        }
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
