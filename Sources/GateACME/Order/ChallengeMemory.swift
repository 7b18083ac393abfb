package import GateCore

/// Which kinds of challenge failed for a name, so that the next order tries another one.
package struct ChallengeMemory: Hashable, Sendable {
    /// In the order in which they failed, the last one last. A kind that succeeds clears its name.
    private var failed: [String: [ChallengeKind]] = [:]

    package init() {}

    package mutating func recordFailure(of kind: ChallengeKind, for name: String) {
        failed[name, default: []].removeAll { $0 == kind }
        failed[name, default: []].append(kind)
    }

    package mutating func recordSuccess(for name: String) { failed[name] = nil }

    /// The first of `kinds` that has not failed for `name`; where all have, the one whose failure is longest ago.
    package func choose(from kinds: [ChallengeKind], for name: String) -> ChallengeKind? {
        let past = failed[name] ?? []
        return kinds.first { !past.contains($0) } ?? past.first { kinds.contains($0) }
    }
}

extension ChallengeMemory {
    /// An object of arrays, by name.
    package var json: JSON {
        .object(failed.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .array($0.value.map { .string($0.rawValue) })) })
    }

    /// What `json` wrote. Anything else in it is passed over: nothing is lost but an order's worth of experience.
    package init(json: JSON) {
        for member in json.members ?? [] {
            let kinds = (member.value.array ?? []).compactMap { $0.string.flatMap(ChallengeKind.init(rawValue:)) }
            if !kinds.isEmpty { failed[member.name] = kinds }
        }
    }
}
