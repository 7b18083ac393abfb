package import GateCore
package import GateLimits
package import Logging
import Synchronization

/// Limits counted in Redis, and in this process while Redis is gone or slow.
///
/// The first failure, a reply that is late among them, puts the process's own store in Redis's place, for the request that saw it too;
/// from then on no request waits for Redis. Meanwhile ``run()`` asks Redis again and again, and goes back to it at the first reply that
/// comes in time.
///
/// **What holds while it stands in:** each instance admits at most a policy's limit in any window, of which it counts what it has admitted
/// itself, before the failure too. What the others admit it cannot know; when Redis is back, what was admitted meanwhile is not counted
/// in it.
package final class StandInLimitStore: LimitStore {
    private let redis: RedisLimitStore
    private let memory: MemoryLimitStore
    let client: RedisClient
    private let time: any TimeSource
    private let log: Logger
    private let isStandingIn = Atomic<Bool>(false)
    private let isClosing = Atomic<Bool>(false)
    private let standInDecisions = Atomic<Int>(0)
    private let state = Mutex(Outage())
    private let wakes: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation

    /// How often Redis is asked whether all is well, when nothing else asks.
    private static let interval = Duration.seconds(1)

    package init(_ client: RedisClient, memory: MemoryLimitStore, entropy: any Entropy, time: any TimeSource, log: Logger) {
        self.client = client
        self.memory = memory
        self.time = time
        self.log = log
        redis = RedisLimitStore(client, entropy: entropy)
        (wakes, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        client.onChange { [weak self] in self?.connectionsChanged() }
    }

    // MARK: The port

    /// In place only while the process's own store stands in.
    package func decideInPlace(_ questions: LimitQuestions) -> LimitDecision? {
        isStandingIn.load(ordering: .acquiring) ? decideHere(questions) : nil
    }

    package func decide(_ questions: LimitQuestions) async throws -> LimitDecision {
        guard !isStandingIn.load(ordering: .acquiring) else { return decideHere(questions) }
        do throws(RedisError) {
            let decision = try await redis.ask(questions)
            // So that what was admitted by this instance is known should Redis go.
            if decision.isAdmitted { _ = memory.decideInPlace(questions) }
            return decision
        } catch {
            standIn(error)
            return decideHere(questions)
        }
    }

    package func list(policy: String?, limit: Int) async throws -> [LimitUsage] {
        guard !isStandingIn.load(ordering: .acquiring) else { return try await memory.list(policy: policy, limit: limit) }
        return try await redis.list(policy: policy, limit: limit)
    }

    package func clear(_ selection: LimitSelection) async throws -> Int {
        let here = try await memory.clear(selection)
        return isStandingIn.load(ordering: .acquiring) ? here : try await redis.clear(selection)
    }

    private func decideHere(_ questions: LimitQuestions) -> LimitDecision {
        standInDecisions.wrappingAdd(1, ordering: .relaxed)
        // The store in memory answers every question in place.
        return memory.decideInPlace(questions)!
    }

    // MARK: Failure and recovery

    /// Watches Redis until the task is cancelled. The client is to be run besides.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [wake] in
                while !Task.isCancelled {
                    try? await Task.sleep(for: Self.interval)
                    wake.yield()
                }
            }
            group.addTask { [self] in
                var delay = ReconnectDelay()
                for await _ in wakes {
                    while await probe() == nil, !Task.isCancelled { try? await Task.sleep(for: delay.take(client.entropy)) }
                    delay.held(for: state.withLock { $0.soundFor(time.monotonic()) })
                }
            }
        }
    }

    /// Asks Redis to count something, as a request would.
    /// - Returns: how long it took; `nil` where it failed, which has put this process's store in its place.
    private func probe() async -> Duration? {
        let start = time.monotonic()
        do throws(RedisError) {
            try await redis.probe()
            let latency = time.monotonic().since(start)
            goBack(latency)
            return latency
        } catch {
            standIn(error)
            return nil
        }
    }

    private func connectionsChanged() {
        guard !isClosing.load(ordering: .acquiring) else { return }
        if client.openConnections == 0 { standIn(.notConnected(client.statistics.lastFailure ?? "the connection was lost")) }
        wake.yield()
    }

    private func standIn(_ error: RedisError) {
        guard !isClosing.load(ordering: .acquiring) else { return }
        if case .refused(let refusal) = error, refusal.code == "READONLY" { client.leaveServer(error) }
        let isFirst = !isStandingIn.exchange(true, ordering: .acquiringAndReleasing)
        guard isFirst else { return }
        wake.yield()
        let isNews = state.withLock { $0.begin(time.monotonic()) }
        log.log(
            level: isNews ? .warning : .info, "Redis is gone or slow: this process counts the limits until it is back",
            metadata: ["error": "\(error)"])
    }

    private func goBack(_ latency: Duration) {
        let outage = state.withLock { $0.sound(latency, time.monotonic()) }
        guard isStandingIn.load(ordering: .acquiring) else { return }
        // It may have been started anew, with nothing in it.
        redis.forgetPolicies()
        isStandingIn.store(false, ordering: .releasing)
        log.log(
            level: outage.isNews ? .notice : .info, "Redis counts the limits again", metadata: ["after": "\(outage.length.text)"])
    }

    /// The connections are about to be closed, which is no failure.
    package func close() {
        isClosing.store(true, ordering: .releasing)
    }

    // MARK: Health and metrics

    package enum Health: Hashable, Sendable {
        case ok(latency: Duration)
        /// This process's own store stands in.
        case standingIn
    }

    /// Asks Redis now, unless it is known to be gone.
    package func health() async -> Health {
        guard !isStandingIn.load(ordering: .acquiring), let latency = await probe() else { return .standingIn }
        return .ok(latency: latency)
    }

    package var isRedisUsed: Bool { !isStandingIn.load(ordering: .relaxed) }
    /// Made by this process's own store in Redis's place.
    package var decisionsStoodIn: Int { standInDecisions.load(ordering: .relaxed) }
    package var lastLatency: Duration { state.withLock { $0.latency } }

    /// Waits until Redis counts, or the time is over: for a start that does not begin in another's place.
    package func awaitRedis(within limit: Duration) async {
        let end = time.monotonic() + limit
        while client.openConnections == 0, time.monotonic() < end { try? await Task.sleep(for: .milliseconds(5)) }
        _ = await probe()
    }
}

/// Since when Redis is gone, or sound.
private struct Outage {
    private(set) var latency = Duration.zero
    private var began: MonotonicInstant?
    private var soundSince: MonotonicInstant?
    private var lastNews: MonotonicInstant?
    private var isNews = true

    /// A warning a minute is enough where it comes and goes.
    private static let silence = Duration.seconds(60)

    /// - Returns: whether the operator is to be warned.
    mutating func begin(_ now: MonotonicInstant) -> Bool {
        began = now
        soundSince = nil
        isNews = lastNews.map { now.since($0) >= Self.silence } ?? true
        if isNews { lastNews = now }
        return isNews
    }

    mutating func sound(_ latency: Duration, _ now: MonotonicInstant) -> (length: Duration, isNews: Bool) {
        self.latency = latency
        if soundSince == nil { soundSince = now }
        defer { began = nil }
        return (began.map { now.since($0) } ?? .zero, isNews)
    }

    func soundFor(_ now: MonotonicInstant) -> Duration { soundSince.map { now.since($0) } ?? .zero }
}
