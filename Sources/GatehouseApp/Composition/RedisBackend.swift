import GateCore
import GateLimits
import GateNet
import GateRedis
import Logging
import Synchronization

/// Redis as the configuration has it: the connections, and the limits counted in it.
final class RedisBackend: Sendable {
    let client: RedisClient
    let limits: StandInLimitStore
    private let url: RedisURL
    private let log: Logger
    private let life = Mutex<Task<Void, Never>?>(nil)

    /// Connects to nothing yet.
    /// - Throws: `ConfigurationFault` for a `redis.ca_file` that cannot be used.
    init(
        _ url: RedisURL, _ configuration: Configuration, memory: MemoryLimitStore, time: any TimeSource, entropy: any Entropy, log: Logger
    ) throws {
        self.url = url
        self.log = log
        client = RedisClient(try RedisSettings(url, configuration.redis, time: time), time: time, entropy: entropy, log: log)
        limits = StandInLimitStore(client, memory: memory, entropy: entropy, time: time, log: log)
    }

    /// Connects. Returns once Redis counts, or it is clear that it does not for now; then the process's own store stands in, and it is
    /// gone on to be tried.
    func start() async {
        let task = Task { [client, limits] in
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await client.run() }
                group.addTask { await limits.run() }
            }
        }
        life.withLock { $0 = task }
        await limits.awaitRedis(within: client.settings.connectTime)
        if limits.isRedisUsed { log.info("Limits are counted in Redis", metadata: ["redis": "\(url)"]) }
    }

    func close() async {
        limits.close()
        let task = life.withLock { life in
            defer { life = nil }
            return life
        }
        task?.cancel()
        await task?.value
    }
}

extension RedisSettings {
    init(_ url: RedisURL, _ redis: Configuration.Redis, time: any TimeSource) throws {
        switch url.server {
        case .tcp(let host): self.init(server: .one(.tcp(host: host.name, port: host.port)))
        case .unix(let path): self.init(server: .one(.unix(path: path)))
        case .sentinels(let hosts, let name):
            self.init(server: .watched(name: name, sentinels: hosts.map { .tcp(host: $0.name, port: $0.port) }))
        }
        user = url.user
        password = url.password
        sentinelPassword = redis.sentinelPassword
        database = url.database
        if url.isSecure { tls = try TLSClientConfiguration(authorities: try redis.authorities(), time: time) }
        commandTime = redis.timeout
        connectTime = redis.connectTimeout
        prefix = redis.prefix
    }
}
