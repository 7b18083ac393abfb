import GateCore
package import GateLimits

extension RedisLimitStore {
    /// For one step of what the operator asks: Redis answers requests between the steps.
    private static let stepTime = Duration.seconds(5)
    /// Keys looked at in one step.
    private static let step = 500

    package func list(policy: String?, limit: Int) async throws -> [LimitUsage] {
        guard limit > 0 else { return [] }
        do throws(RedisError) {
            let policies = try await policies()
            var found: [LimitKey: LimitUsage] = [:]
            try await forEachKey(of: policy) { keys throws(RedisError) in
                let counted = keys.filter { policies[$0.policy] != nil }
                for usage in try await usages(counted, policies) { found[LimitKey(usage.subject, usage.policy.name)] = usage }
                guard found.count > 2 * limit + 1024 else { return }
                let kept = MemoryLimitStore.mostUsed(limit, of: Array(found.values))
                found = Dictionary(uniqueKeysWithValues: kept.map { (LimitKey($0.subject, $0.policy.name), $0) })
            }
            return MemoryLimitStore.mostUsed(limit, of: Array(found.values))
        } catch {
            throw error.storageError
        }
    }

    package func clear(_ selection: LimitSelection) async throws -> Int {
        do throws(RedisError) {
            var only: String?
            if case .policy(let name) = selection { only = name }
            var cleared = 0
            try await forEachKey(of: only) { keys throws(RedisError) in
                let selected = keys.filter { selection.includes($0.subject, policy: $0.policy) }
                guard !selected.isEmpty else { return }
                let names = selected.map { LimitKeyName.text($0.subject, policy: $0.policy, prefix: prefix) }
                cleared += Int(try await send(RedisCommand(["UNLINK"] + names), within: Self.stepTime).integer ?? 0)
            }
            return cleared
        } catch {
            throw error.storageError
        }
    }

    private struct LimitKey: Hashable {
        let subject: LimitSubject
        let policy: String

        init(_ subject: LimitSubject, _ policy: String) {
            self.subject = subject
            self.policy = policy
        }
    }

    /// A key may come more than once, and one that comes into being meanwhile perhaps not at all: so SCAN has it.
    private func forEachKey(of policy: String?, _ body: ([LimitKey]) async throws(RedisError) -> Void) async throws(RedisError) {
        let pattern = LimitKeyName.pattern(policy: policy, prefix: prefix)
        var cursor = "0"
        repeat {
            let reply = try await send(
                RedisCommand("SCAN", cursor, "MATCH", pattern, "COUNT", String(Self.step), "TYPE", "zset"), within: Self.stepTime)
            guard let parts = reply.elements, parts.count == 2, let next = parts[0].text, let names = parts[1].elements else {
                throw .unexpectedReply
            }
            let keys = names.compactMap(\.text).compactMap { LimitKeyName.read($0, prefix: prefix) }
                .filter { policy == nil || $0.policy == policy }
            if !keys.isEmpty { try await body(keys.map { LimitKey($0.subject, $0.policy) }) }
            cursor = next
        } while cursor != "0"
    }

    private func usages(_ keys: [LimitKey], _ policies: [String: LimitPolicy]) async throws(RedisError) -> [LimitUsage] {
        guard !keys.isEmpty else { return [] }
        let reply = try await run(.examine, keys: keys.count, parts: 2 * keys.count, within: Self.stepTime) { command in
            for key in keys { command.add(LimitKeyName.text(key.subject, policy: key.policy, prefix: prefix)) }
            for key in keys { command.add(policies[key.policy]?.windowMicroseconds ?? 0) }
        }
        guard let numbers = reply.elements?.map(\.integer), numbers.count == 2 * keys.count else { throw .unexpectedReply }
        var usages: [LimitUsage] = []
        for (index, key) in keys.enumerated() {
            guard let used = numbers[2 * index], let wait = numbers[2 * index + 1], let policy = policies[key.policy] else {
                throw .unexpectedReply
            }
            guard used > 0 else { continue }
            usages.append(LimitUsage(policy: policy, subject: key.subject, used: Int(used), resetAfter: .microseconds(wait)))
        }
        return usages
    }

    /// What the names of policies stand for: as this process has it, else as others have told.
    private func policies() async throws(RedisError) -> [String: LimitPolicy] {
        let reply = try await send(RedisCommand("HGETALL", policiesKey), within: Self.stepTime)
        var policies: [String: LimitPolicy] = [:]
        if case .map(let pairs) = reply {
            for index in stride(from: 0, to: pairs.count - 1, by: 2) {
                guard let name = pairs[index].text, let words = pairs[index + 1].text?.split(separator: " "), words.count == 2,
                    let limit = Int(words[0]), let window = Int64(words[1])
                else { continue }
                policies[name] = LimitPolicy(name: name, limit: limit, window: .microseconds(window))
            }
        }
        for policy in knownPolicies { policies[policy.name] = policy }
        return policies
    }
}
