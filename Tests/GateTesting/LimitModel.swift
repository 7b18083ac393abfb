import GateCore
package import GateLimits
import Testing

/// The sliding window log in its plainest form: the time of every admission, for every policy and subject. Slow and evident.
package struct LimitModel {
    private struct Key: Hashable {
        var policy: String
        var subject: LimitSubject
    }

    private var admissions: [Key: [Int]] = [:]
    /// Milliseconds.
    private var now = 0

    package init() {}

    package mutating func advance(milliseconds: Int) { now += milliseconds }

    /// Whether all admit; then all are charged.
    package mutating func decide(_ questions: LimitQuestions) -> (isAdmitted: Bool, retryAfter: Duration?, remaining: [Int]) {
        var retryAfter: Int?
        for question in questions {
            let held = held(question)
            if held.count >= question.policy.limit {
                let freed = held[held.count - question.policy.limit] + window(question) - now
                retryAfter = max(retryAfter ?? 0, freed)
            }
        }
        if retryAfter == nil {
            for key in Set(questions.map(key)) { admissions[key, default: []].append(now) }
        }
        return (retryAfter == nil, retryAfter.map { .milliseconds($0) }, questions.map { $0.policy.limit - held($0).count })
    }

    private func held(_ question: LimitQuestion) -> [Int] {
        (admissions[key(question)] ?? []).filter { $0 + window(question) > now }
    }

    private func key(_ question: LimitQuestion) -> Key { Key(policy: question.policy.name, subject: question.subject) }

    private func window(_ question: LimitQuestion) -> Int { Int(question.policy.window.wholeMilliseconds) }
}

extension LimitStoreContract {
    /// A random schedule over several policies and subjects, alone and together: the store and the model agree at every step.
    package func agreesWithTheModel(seed: UInt64, steps: Int) async throws {
        let store = try await store()
        let random = SeededEntropy(seed: seed)
        var model = LimitModel()
        let policies = [
            LimitPolicy(name: "burst", limit: 3, window: .milliseconds(50)),
            LimitPolicy(name: "minute", limit: 40, window: .milliseconds(2000)),
            LimitPolicy(name: "single", limit: 1, window: .milliseconds(7)),
            LimitPolicy(name: "wide", limit: 150, window: .milliseconds(9000)),
            LimitPolicy(name: "fifth-policy-with-a-long-name", limit: 9, window: .milliseconds(333)),
        ]
        for step in 0..<steps {
            // Bursts, small steps, and pauses that empty whole windows.
            let pause = [0, 0, 0, random.number(in: 0...3), random.number(in: 0...60), random.number(in: 0...40) == 0 ? 9001 : 1]
            let milliseconds = pause[random.number(in: 0...5)]
            model.advance(milliseconds: milliseconds)
            if milliseconds > 0 { try await pass(.milliseconds(milliseconds)) }
            var questions = LimitQuestions()
            for _ in 0..<random.number(in: 1...6) {
                questions.append(
                    LimitQuestion(
                        policy: policies[random.number(in: 0...4)], subject: .user(high: 0, low: UInt64(random.number(in: 0...2)))))
            }
            let expected = model.decide(questions)
            let decision = try await store.decide(questions)
            guard
                decision.isAdmitted == expected.isAdmitted, decision.retryAfter == expected.retryAfter,
                decision.states.map(\.remaining) == expected.remaining
            else {
                Issue.record("seed \(seed), step \(step): \(decision) where the model says \(expected)")
                return
            }
        }
    }
}
