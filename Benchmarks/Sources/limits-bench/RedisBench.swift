import GateCore
import GateLimits
import GateNet
import GateRedis
import Glibc
import Logging
import Synchronization

/// Decisions through a redis-server of its own on this machine: how many in a second with so many asked at once, and how long one takes.
struct RedisBench {
    private let time = SystemTime()
    /// For each row.
    let seconds: Double

    /// - Parameter folder: for the server's socket.
    func run(in folder: String, _ writer: inout JSONWriter) async {
        let socket = folder + "/redis.sock"
        let port = 20_000 + Int(getpid()) % 10_000
        let server = Self.spawn([
            "redis-server", "--port", "\(port)", "--bind", "127.0.0.1", "--unixsocket", socket, "--save", "", "--appendonly", "no",
            "--dir", folder, "--logfile", folder + "/redis.log",
        ])
        guard let server else { return }
        defer {
            kill(server, SIGKILL)
            waitpid(server, nil, 0)
        }
        writer.name("redis")
        writer.beginObject()
        for (name, place) in [("unix", StreamDialer.Place.unix(path: socket)), ("tcp", .tcp(host: "127.0.0.1", port: port))] {
            var settings = RedisSettings(server: .one(place))
            settings.commandTime = .seconds(10)
            let client = RedisClient(
                settings, time: time, entropy: SystemEntropy(), log: Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() })
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await client.run() }
                while client.openConnections == 0 { try? await Task.sleep(for: .milliseconds(10)) }
                try? await Task.sleep(for: .milliseconds(200))
                let store = RedisLimitStore(client, entropy: SystemEntropy())
                writer.name(name)
                writer.beginObject()
                for (policies, atOnce) in [(1, 1), (1, 64), (1, 512), (3, 64)] {
                    await row(store, policies: policies, atOnce: atOnce, &writer)
                }
                writer.endObject()
                group.cancelAll()
            }
        }
        writer.endObject()
    }

    private func row(_ store: RedisLimitStore, policies: Int, atOnce: Int, _ writer: inout JSONWriter) async {
        // A window that holds what comes in a tenth of a second: sets stay of a size, as they do in a limit that is used.
        let limits = (0..<policies).map { LimitPolicy(name: "open-\($0)", limit: 1_000_000_000, window: .milliseconds(100)) }
        let end = time.monotonic() + .milliseconds(Int64(seconds * 1000))
        let latencies = await withTaskGroup(of: [Int64].self) { group in
            for task in 0..<atOnce {
                group.addTask {
                    var questions = LimitQuestions()
                    for policy in limits { questions.append(LimitQuestion(policy: policy, subject: .user(high: 0, low: UInt64(task)))) }
                    var taken: [Int64] = []
                    var last = time.monotonic()
                    while last < end {
                        guard (try? await store.decide(questions)) != nil else { break }
                        let now = time.monotonic()
                        taken.append(now.since(last).wholeNanoseconds)
                        last = now
                    }
                    return taken
                }
            }
            return await group.reduce(into: [Int64]()) { $0 += $1 }.sorted()
        }
        writer.name("\(policies)_policies_\(atOnce)_at_once")
        DecisionBench.write(latencies, perSecond: Double(latencies.count) / seconds, &writer)
    }

    private static func spawn(_ command: [String]) -> pid_t? {
        var arguments = command.map { strdup($0) } + [nil]
        defer { for text in arguments { free(text) } }
        var pid: pid_t = 0
        guard posix_spawnp(&pid, command[0], nil, nil, &arguments, environ) == 0 else { return nil }
        return pid
    }
}
