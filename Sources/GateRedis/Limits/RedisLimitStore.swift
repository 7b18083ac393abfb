package import GateCore
package import GateLimits
import Synchronization

/// Admissions counted in Redis, for all instances together, by the server's clock: one script and one round trip for a request.
///
/// As exact as the store in memory, in microseconds. What Redis holds is bounded by what is admitted: a sorted set for each policy and
/// subject with one member for each admission inside the window (some 30 bytes; 100 where a limit is above 128), gone with the
/// window of the last. The server's clock is the wall clock of its machine: set forward, it lets what was counted leave early.
///
/// Every method throws `StorageError` where Redis cannot be reached, refuses, or takes longer than its time limit.
package final class RedisLimitStore: LimitStore {
    private let client: RedisClient
    /// In front of each admission's number: other processes have others.
    private let origin: [UInt8]
    private let admissions = Atomic<UInt64>(0)
    /// Those that Redis knows by their names, and what each name stood for last.
    private let known = Mutex<(told: Set<LimitPolicy>, byName: [String: LimitPolicy])>(([], [:]))

    package init(_ client: RedisClient, entropy: any Entropy) {
        self.client = client
        origin = entropy.bytes(6)
    }

    package func decideInPlace(_ questions: LimitQuestions) -> LimitDecision? { nil }

    package func decide(_ questions: LimitQuestions) async throws -> LimitDecision {
        do throws(RedisError) {
            return try await ask(questions)
        } catch {
            throw error.storageError
        }
    }

    func ask(_ questions: LimitQuestions) async throws(RedisError) -> LimitDecision {
        introduce(questions)
        let reply = try await run(.decide, keys: questions.count, parts: 1 + 3 * questions.count) { command in
            for question in questions { command.add(key(question.subject, question.policy.name)) }
            command.add(nextAdmission())
            for question in questions {
                command.add(Int64(question.policy.limit))
                command.add(question.policy.windowMicroseconds)
            }
        }
        return try Self.decision(questions, reply)
    }

    /// Counts one admission that nobody asked for, as a request would, to see whether Redis does all that is needed.
    func probe() async throws(RedisError) {
        _ = try await run(.decide, keys: 1, parts: 4) { command in
            command.add(client.settings.prefix + "probe")
            command.add(nextAdmission())
            command.add(1_000_000)
            command.add(1000)
        }
    }

    /// Redis may have lost what it was told of policies.
    func forgetPolicies() { known.withLock { $0.told = [] } }

    // MARK: Scripts

    /// Runs a script by its name, and where Redis does not know that, by its text, which it knows from then on.
    ///
    /// - Parameters:
    ///   - parts: keys and arguments.
    ///   - fill: adds them. Called again for the second time.
    func run(
        _ script: RedisScript, keys: Int, parts: Int, within limit: Duration? = nil, _ fill: (inout RedisCommand) -> Void
    ) async throws(RedisError) -> RESPValue {
        do throws(RedisError) {
            return try await client.send(Self.command("EVALSHA", script.name, keys, parts, fill), within: limit)
        } catch .refused(let error) where error.code == "NOSCRIPT" {
            return try await client.send(Self.command("EVAL", script.source, keys, parts, fill), within: limit)
        }
    }

    private static func command(
        _ verb: String, _ script: String, _ keys: Int, _ parts: Int, _ fill: (inout RedisCommand) -> Void
    ) -> RedisCommand {
        var command = RedisCommand(parts: 3 + parts, capacity: 96 + script.utf8.count + 64 * parts)
        command.add(verb)
        command.add(script)
        command.add(Int64(keys))
        fill(&command)
        return command
    }

    private func key(_ subject: LimitSubject, _ policy: String) -> String {
        LimitKeyName.text(subject, policy: policy, prefix: client.settings.prefix)
    }

    /// A name for an admission: 14 bytes, so that small sets stay compact in Redis.
    private func nextAdmission() -> [UInt8] {
        let number = admissions.wrappingAdd(1, ordering: .relaxed).newValue
        return origin + (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * $0)) }
    }

    /// What the script's reply says.
    static func decision(_ questions: LimitQuestions, _ reply: RESPValue) throws(RedisError) -> LimitDecision {
        guard let numbers = reply.elements, numbers.count == 1 + 2 * questions.count, let isCharged = numbers[0].integer else {
            throw .unexpectedReply
        }
        var states: [LimitState] = []
        for (index, question) in questions.enumerated() {
            guard let used = numbers[1 + 2 * index].integer, let wait = numbers[2 + 2 * index].integer, used >= 0, wait >= 0 else {
                throw .unexpectedReply
            }
            let policy = question.policy
            let isAdmitted = isCharged == 1 || used < policy.limit
            // A limit of zero refuses for ever: come back a window later.
            let microseconds = policy.limit == 0 ? policy.windowMicroseconds : min(wait, policy.windowMicroseconds)
            states.append(
                LimitState(
                    policy: policy, remaining: max(0, policy.limit - Int(used)), isAdmitted: isAdmitted,
                    resetAfterNanoseconds: UInt64(microseconds) * 1000))
        }
        return LimitDecision(states: states)
    }

    // MARK: Policies

    /// Tells Redis what a policy's name stands for, once, so that what is counted can be listed by every instance.
    private func introduce(_ questions: LimitQuestions) {
        let new = known.withLock { known in
            var new: [LimitQuestion] = []
            for question in questions where known.told.insert(question.policy).inserted {
                new.append(question)
                known.byName[question.policy.name] = question.policy
            }
            return new
        }
        for question in new {
            let policy = question.policy
            client.post(RedisCommand("HSET", policiesKey, policy.name, "\(policy.limit) \(policy.windowMicroseconds)"))
        }
    }

    var knownPolicies: [LimitPolicy] { known.withLock { Array($0.byName.values) } }
    var policiesKey: String { client.settings.prefix + "policies" }
    var prefix: String { client.settings.prefix }

    func send(_ command: RedisCommand, within limit: Duration) async throws(RedisError) -> RESPValue {
        try await client.send(command, within: limit)
    }
}

extension LimitPolicy {
    var windowMicroseconds: Int64 { window.wholeMilliseconds * 1000 }
}
