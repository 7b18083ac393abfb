package import GateCore
import GateLimits
package import Logging

/// A look at Redis from outside of the server: whether it can be reached, signed in to, and does all that counting limits needs.
package struct RedisExamination: Sendable {
    /// From asking it to count something to its reply.
    package let latency: Duration

    /// - Throws: ``RedisError``, within some seconds.
    package static func of(
        _ settings: RedisSettings, time: any TimeSource, entropy: any Entropy, log: Logger
    ) async throws(RedisError) -> RedisExamination {
        let client = RedisClient(settings, connections: 1, time: time, entropy: entropy, log: log)
        let result = await withTaskGroup(of: Result<Duration, RedisError>?.self) { group in
            group.addTask {
                await client.run()
                return nil
            }
            group.addTask {
                let end = time.monotonic() + settings.connectTime * 3
                while client.openConnections == 0, client.statistics.counts.failedConnections == 0, time.monotonic() < end {
                    try? await Task.sleep(for: .milliseconds(5))
                }
                let start = time.monotonic()
                do throws(RedisError) {
                    try await RedisLimitStore(client, entropy: entropy).probe()
                    return .success(time.monotonic().since(start))
                } catch {
                    return .failure(error)
                }
            }
            for await result in group {
                guard let result else { continue }
                group.cancelAll()
                return result
            }
            return .failure(.timedOut)
        }
        return RedisExamination(latency: try result.get())
    }
}
