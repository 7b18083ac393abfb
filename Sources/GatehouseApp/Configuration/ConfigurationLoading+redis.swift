import GateCore

extension ConfigurationLoading {
    /// Whoever gives an address of Redis wants it to be used.
    mutating func deriveRedis() {
        if isDefault("limits.backend"), configuration.limits.redisURL != nil { configuration.limits.backend = .redis }
    }

    mutating func checkRedis() {
        let limits = configuration.limits
        guard limits.backend == .redis else {
            for path in ["limits.redis_url"] + Configuration.redisKeys.map(\.path) {
                if let place = origins[path] { notices.append("\(place): \(path) is not used: limits.backend is memory") }
            }
            return
        }
        guard let url = limits.redisURL else {
            // One that could not be read has been told of.
            guard !faults.contains(where: { $0.place == .environment(variable: "REDIS_URL") }) else { return }
            return check(
                false, "limits.backend", "limits.redis_url", "limits.backend is redis, but limits.redis_url is not set",
                cure: "write limits.redis_url = \"redis://127.0.0.1:6379\", or set REDIS_URL")
        }
        check(
            configuration.redis.caFile == nil || url.isSecure, "redis.ca_file", "limits.redis_url",
            "redis.ca_file is set, but limits.redis_url is without TLS", cure: "write rediss:// in it, or remove redis.ca_file")
        if !url.isSecure, url.password != nil, case .tcp(let host) = url.server, !host.isLoopback, let place = origins["limits.redis_url"] {
            notices.append("\(place): limits.redis_url sends its password to \(host.name) in plain text: rediss:// would not")
        }
    }
}

extension RedisURL.Host {
    fileprivate var isLoopback: Bool {
        name == "localhost" || name == "::1" || IPAddress(name).map { $0.isIPv4 && $0.low >> 24 & 0xFF == 127 } ?? false
    }
}
