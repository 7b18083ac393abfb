import GateCore
import GateLimits
import GateTesting
import Logging
import NIOPosix
import Synchronization
import Testing

@testable import GateRedis

/// Clients of one server, which run until `body` has returned.
final class RedisFixture: Sendable {
    let server: RedisServerProcess
    let log = LogRecorder()
    private let tasks = Mutex<[Task<Void, Never>]>([])
    private let names = Atomic<Int>(0)

    private init(_ server: RedisServerProcess) { self.server = server }

    static func with<Result>(
        _ options: [String] = [], program: String = "redis-server", hasStillClock: Bool = false,
        _ body: (RedisFixture) async throws -> Result
    ) async throws -> Result {
        let fixture = RedisFixture(try RedisServerProcess(options, program: program, hasStillClock: hasStillClock))
        do {
            let result = try await body(fixture)
            await fixture.end()
            return result
        } catch {
            await fixture.end()
            throw error
        }
    }

    private func end() async {
        let tasks = tasks.withLock { $0 }
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
    }

    func run(_ body: @escaping @Sendable () async -> Void) {
        let task = Task { await body() }
        tasks.withLock { $0.append(task) }
    }

    /// A prefix that nobody else has: an empty store.
    func newPrefix() -> String { "test\(names.add(1, ordering: .relaxed).newValue):" }

    /// A client that is connected, or is at least trying to.
    func client(
        _ change: (inout RedisSettings) -> Void = { _ in }, connections: Int = 2, mustConnect: Bool = true
    ) async throws -> RedisClient {
        var settings = RedisSettings(server: .one(server.socket))
        settings.prefix = newPrefix()
        settings.commandTime = .seconds(5)
        change(&settings)
        let client = RedisClient(settings, connections: connections, time: SystemTime(), entropy: SystemEntropy(), log: log.logger)
        run { await client.run() }
        guard mustConnect else { return client }
        try await eventually("connected") { client.openConnections == connections }
        return client
    }
}

/// Returns once it is so; fails after ten seconds.
func eventually(_ what: String, _ isSo: () async throws -> Bool) async throws {
    let end = SystemTime().monotonic() + .seconds(10)
    while try await !isSo() {
        try #require(SystemTime().monotonic() < end, "not in time: \(what)")
        try await Task.sleep(for: .milliseconds(2))
    }
}
