import GateCore

/// What became of the attempts for one certificate since the last success, and when the next is allowed. It outlives the process.
struct AttemptHistory: Sendable {
    /// In a row.
    private(set) var failures = 0
    private(set) var problem: CertificateProblem?
    /// Not before: backing off.
    private(set) var pause: MonotonicInstant?
    /// By directory: not before, by the authority's word.
    private(set) var blocks: [String: MonotonicInstant] = [:]
    /// An attempt was begun and has not come to an end.
    private(set) var isBegun = false
    /// How many processes in a row ended in the middle of an attempt.
    private(set) var interruptions = 0
    var challengeMemory = ChallengeMemory()

    /// An interrupted attempt is resumed at once, but a server that dies of its attempts must not ask on and on.
    static let allowedInterruptions = 2

    init() {}

    mutating func begin() { isBegun = true }

    mutating func succeed(_ memory: ChallengeMemory) {
        self = AttemptHistory()
        challengeMemory = memory
    }

    /// - Parameter draw: from 0 up to 1.
    mutating func fail(_ failure: ACMEFailure, directory: String, wasRehearsal: Bool, at now: Moment, draw: Double) {
        isBegun = false
        interruptions = 0
        failures += 1
        challengeMemory = failure.challengeMemory
        pause = now.monotonic + Backoff.delay(afterFailures: failures, isWorthRetrying: failure.isWorthRetrying, draw: draw)
        if let until = failure.retryAfter { blocks[directory] = now.instant(of: until, longest: Backoff.longestBlock) }
        problem = CertificateProblem(
            at: now.wall, directory: directory, sentence: failure.sentence, document: failure.problem,
            authorizations: failure.authorizations, count: failures, wasRehearsal: wasRehearsal)
    }

    /// The attempt was ended by the server's own stopping: that is no failure.
    mutating func abandon() { isBegun = false }

    /// Whoever had begun is gone: an attempt was broken off in its middle.
    ///
    /// - Parameter draw: from 0 up to 1.
    mutating func interrupt(at now: MonotonicInstant, draw: Double) {
        isBegun = false
        interruptions += 1
        guard interruptions > Self.allowedInterruptions else { return }
        failures += 1
        pause = now + Backoff.delay(afterFailures: failures, draw: draw)
    }
}

extension AttemptHistory {
    func json(at now: Moment) -> JSON {
        var members: [JSON.Member] = [
            JSON.Member("failures", .integer(Int64(failures))), JSON.Member("is_begun", .bool(isBegun)),
            JSON.Member("interruptions", .integer(Int64(interruptions))), JSON.Member("challenges", challengeMemory.json),
        ]
        if let pause { members.append(JSON.Member("pause", .integer(now.wall(of: pause).milliseconds))) }
        if !blocks.isEmpty {
            let written = blocks.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .integer(now.wall(of: $0.value).milliseconds)) }
            members.append(JSON.Member("blocks", .object(written)))
        }
        if let problem { members.append(JSON.Member("problem", problem.json)) }
        return .object(members)
    }

    /// What `json` wrote, perhaps by a process that ended in the middle of an attempt.
    init(json: JSON, at now: Moment) {
        isBegun = json["is_begun"]?.bool == true
        failures = Int(clamping: min(max(json["failures"]?.integer ?? 0, 0), 1_000_000))
        interruptions = Int(clamping: min(max(json["interruptions"]?.integer ?? 0, 0), 1_000_000))
        challengeMemory = ChallengeMemory(json: json["challenges"] ?? .null)
        problem = json["problem"].flatMap(CertificateProblem.init(json:))
        pause = json["pause"]?.integer.map { now.instant(of: Timestamp(milliseconds: $0), longest: Backoff.longest) }
        for member in json["blocks"]?.members ?? [] {
            guard let until = member.value.integer else { continue }
            blocks[member.name] = now.instant(of: Timestamp(milliseconds: until), longest: Backoff.longestBlock)
        }
    }
}
