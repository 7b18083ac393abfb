import GateIdentity
import ServiceLifecycle

/// Heeds what other instances on the same database change, as long as the server runs.
struct FollowChangesService: Service {
    let identity: Identity

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await identity.followChanges()
            // Where there are no others: a service that returned would end the server.
            while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
        }
    }
}
