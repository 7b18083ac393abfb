import GateCore
import GateHTTP
import GateNet
import Logging
import NIOCore
import ServiceLifecycle

/// A listener's life among the other services: it listens until the process is asked to stop, then finishes what runs.
struct HTTPServerService: Service {
    let name: String
    let server: HTTPServer
    let shutdownTimeout: Duration
    let log: Logger
    /// Called when it listens, and when it is asked to stop.
    var started: @Sendable ([BoundAddress]) -> Void = { _ in }
    var stopping: @Sendable () -> Void = {}

    func run() async throws {
        let addresses: [BoundAddress]
        do {
            addresses = try await server.start()
        } catch let error as ListenError {
            throw CommandFailure(error.reason == .notPermitted ? .permission : .unavailable, error.description)
        }
        for address in addresses { log.notice("Listening", metadata: ["server": "\(name)", "address": "\(address)"]) }
        started(addresses)
        try? await gracefulShutdown()
        stopping()
        await server.shutdownGracefully(within: shutdownTimeout)
    }
}

/// Services that stop at the same time, so that their time limits run together, not one after the other.
struct SimultaneousServices: Service {
    let services: [any Service]

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for service in services { group.addTask { try await service.run() } }
            // The first that fails is told; the others are cancelled.
            try await group.waitForAll()
        }
    }
}
