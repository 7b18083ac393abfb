import GateCore
import GateRedis

/// Whether Redis counts limits.
struct RedisCheck {
    let url: RedisURL
    /// How long it took to count something, or why it did not.
    let outcome: Result<Duration, RedisError>
    /// For a command.
    let limit: Duration

    func finding() -> Finding {
        switch outcome {
        case .success(let latency) where latency * 4 > limit:
            say(
                .warning, "\(url) counts, in \(Self.milliseconds(latency)); after \(limit.text) this server counts by itself.",
                "Run Redis nearer to this server, or raise redis.timeout.")
        case .success(let latency): say(.ok, "\(url) counts, in \(Self.milliseconds(latency)).")
        case .failure(let error):
            say(
                .problem, "\(url) does not count limits: \(error). This server counts by itself meanwhile, and the others as well.",
                advice(error))
        }
    }

    private func advice(_ error: RedisError) -> String {
        switch error {
        case .refused(let refusal):
            switch refusal.code {
            case "OOM": "Raise maxmemory in redis.conf, or set maxmemory-policy to volatile-ttl: whatever Gatehouse keeps expires."
            case "NOPERM": "Give the user the rights that the manual names under \"Limits in Redis\" (ACL SETUSER)."
            case "READONLY": "Name the primary in limits.redis_url, or the sentinels that watch it."
            default: "See redis-cli, and the log of Redis."
            }
        case .notConnected, .disconnected:
            "Check limits.redis_url, that Redis runs (systemctl status redis-server), listens there and lets this machine in."
        case .timedOut, .overloaded: "See redis-cli --latency and SLOWLOG GET, or raise redis.timeout."
        case .unexpectedReply, .malformed: "Check limits.redis_url: what answers there is no Redis 6 or later."
        }
    }

    private static func milliseconds(_ time: Duration) -> String {
        "\(time.wholeNanoseconds / 10_000 / 100).\(time.wholeNanoseconds / 10_000 % 100) ms"
    }

    private func say(_ status: Finding.Status, _ seen: String, _ advice: String? = nil) -> Finding {
        Finding("redis", Finding.thisMachine, status, seen, advice: advice)
    }
}
