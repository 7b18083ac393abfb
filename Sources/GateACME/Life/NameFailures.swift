import GateCore

/// The failures of the last hour by name, over all certificates and authorities: fewer than five in any hour (CHECKLIST 37), which is
/// what Let's Encrypt allows.
struct NameFailures: Sendable {
    static let limit = 4
    static let window = Duration.seconds(3600)

    /// When each stops counting.
    private var ends: [String: [MonotonicInstant]] = [:]

    init() {}

    mutating func record(_ names: [String], at now: MonotonicInstant) {
        forget(at: now)
        for name in names { ends[name, default: []].append(now + Self.window) }
    }

    /// When an attempt for `names` is allowed: `now`, or later.
    func allowed(_ names: [String], at now: MonotonicInstant) -> MonotonicInstant {
        names.map { name in
            let counting = (ends[name] ?? []).filter { $0 > now }.sorted()
            // When so many have stopped counting that one more fits.
            return counting.count < Self.limit ? now : counting[counting.count - Self.limit]
        }.max() ?? now
    }

    private mutating func forget(at now: MonotonicInstant) {
        ends = ends.compactMapValues { ends in
            let counting = ends.filter { $0 > now }
            return counting.isEmpty ? nil : counting
        }
    }

    func json(at now: Moment) -> JSON {
        .object(
            ends.sorted { $0.key < $1.key }.map { name, ends in
                JSON.Member(name, .array(ends.map { .integer(now.wall(of: $0).milliseconds) }))
            })
    }

    init(json: JSON, at now: Moment) {
        for member in json.members ?? [] {
            ends[member.name] = (member.value.array ?? []).compactMap(\.integer).map {
                now.instant(of: Timestamp(milliseconds: $0), longest: Self.window)
            }
        }
        forget(at: now.monotonic)
    }
}
