import GateCore
import Logging
import ServiceLifecycle

/// Takes the keys that other instances make, and uses new ones once all instances have them.
///
/// What instances tell each other arrives sooner (`Identity.followChanges`); this is for when it does not, and for what has settled.
struct SharedKeysService: Service {
    let keys: KeyDistribution
    let log: Logger

    /// Shorter than a second, in which nothing else that is remembered is believed without being asked for.
    static let interval = Duration.milliseconds(900)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var failure: SecretsError?
            while !Task.isCancelled {
                try? await Task.sleep(for: keys.isShared ? Self.interval : .seconds(3600))
                do {
                    try await keys.refresh()
                    failure = nil
                } catch let error as SecretsError where error != failure {
                    log.error("The secrets in the database cannot be used; going on with those of before", metadata: ["error": "\(error)"])
                    failure = error
                } catch {
                    // The database is away: its health tells that.
                }
            }
        }
    }
}
