import GateCore
import GateRedis

extension Doctor {
    /// `nil` where Redis is not used.
    func examineRedis() async -> RedisCheck? {
        guard configuration.limits.backend == .redis, let url = configuration.limits.redisURL else { return nil }
        let limit = configuration.redis.timeout
        let outcome = await limited(to: settings.timeLimit, late: Result<Duration, RedisError>.failure(.timedOut)) {
            await examine(url)
        }
        return RedisCheck(url: url, outcome: outcome, limit: limit)
    }

    private func examine(_ url: RedisURL) async -> Result<Duration, RedisError> {
        do {
            var settings = try RedisSettings(url, configuration.redis, time: time)
            settings.commandTime = max(settings.commandTime, .seconds(2))
            return .success(try await RedisExamination.of(settings, time: time, entropy: entropy, log: log).latency)
        } catch let error as RedisError {
            return .failure(error)
        } catch {
            return .failure(.notConnected("\(error)"))
        }
    }
}
