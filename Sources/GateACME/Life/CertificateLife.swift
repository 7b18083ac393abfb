import GateCore
import GateCrypto

/// One certificate from its first order to every renewal, without clock, disk or network: it says what is to be done next and is told
/// what came of it.
struct CertificateLife: Sendable {
    enum Step: Sendable, Equatable {
        /// Nothing before then; asked again after an hour at most, as the wall clock may have been set meanwhile.
        case wait(until: MonotonicInstant)
        case askRenewalInfo(directory: String, certificateID: String)
        case attempt(Attempt)
    }

    struct Attempt: Sendable, Equatable {
        /// Which of the configured authorities.
        let authority: Int
        /// First at the authority's directory for trials.
        let rehearses: Bool
        /// RFC 9773 §5.
        let replaces: String?
    }

    /// As an authority is known here: its directory, and whether it has another for trials.
    struct Authority: Sendable {
        let directory: String
        let hasRehearsal: Bool
    }

    static let longestWait = Duration.seconds(3600)

    let managed: ManagedCertificate
    let authorities: [Authority]
    var held: StoredCertificate?
    var schedule: RenewalSchedule?
    var history: AttemptHistory
    var inquiry = RenewalInquiry()
    /// Somebody said `cert renew`.
    private(set) var isRequested = false
    /// Not before: a certificate was obtained just now.
    private var quietUntil: MonotonicInstant?
    private var expiryWarning = ExpiryWarning()
    private var clockWarning = ExpiryWarning()

    init(_ managed: ManagedCertificate, authorities: [Authority], held: StoredCertificate?, history: AttemptHistory, at now: Moment) {
        self.managed = managed
        self.authorities = authorities
        self.history = history
        if let held { takeOver(held, at: now) }
    }

    /// One that was obtained before, or by another instance: whoever asked for a renewal has it.
    mutating func takeOver(_ certificate: StoredCertificate, at now: Moment) {
        hold(certificate, at: now)
        let interval = Self.quiet(after: certificate, at: now)
        quietUntil = certificate.obtainedAt.map { now.instant(of: $0 + interval, longest: interval) }
        isRequested = false
    }

    private mutating func hold(_ certificate: StoredCertificate, at now: Moment) {
        held = certificate
        schedule = certificate.schedule
        inquiry = RenewalInquiry(due: now.monotonic)
    }

    /// What would order again and again where an authority's window lies in the past, or the clock makes every new certificate look
    /// expired: no second order before a tenth of the life has passed, or a day. Never more than a day: an authority that moves the window
    /// into the past is about to revoke.
    private static func quiet(after certificate: StoredCertificate, at now: Moment) -> Duration {
        certificate.pair.leaf.isValid(at: now.wall) ? min(certificate.schedule.lifetime / 10, .seconds(86_400)) : .seconds(86_400)
    }

    // MARK: What is next

    func next(at now: Moment, failures: NameFailures) -> Step {
        var wake = now.monotonic + Self.longestWait
        if let held, let id = held.pair.leaf.renewalIdentifier, let directory = held.directory,
            authorities.contains(where: { $0.directory == directory }), let due = inquiry.due
        {
            guard due > now.monotonic else { return .askRenewalInfo(directory: directory, certificateID: id) }
            wake = min(wake, due)
        }
        let due = dueAt(now.wall)
        guard due <= now.wall else { return .wait(until: min(wake, now.monotonic + (due - now.wall))) }
        let allowed = allowance(at: now.monotonic, failures: failures)
        guard allowed.from <= now.monotonic else { return .wait(until: min(wake, allowed.from)) }
        return .attempt(attempt(at: allowed.authority))
    }

    /// When an order is due by the wall clock, whatever stands against it; `now` where it is overdue.
    func dueAt(_ now: Timestamp) -> Timestamp {
        guard let schedule, !isRequested else { return now }
        if isForeign { return now }
        return max(now, schedule.renewal)
    }

    /// Whether it was ordered from an authority that is not configured any more, as a trial before going live is.
    var isForeign: Bool {
        guard let directory = held?.directory else { return false }
        return !authorities.contains { $0.directory == directory }
    }

    private func attempt(at index: Int) -> Attempt {
        let authority = authorities[index]
        let isFirst = held?.directory != authority.directory
        return Attempt(
            authority: index, rehearses: authority.hasRehearsal && isFirst && history.failures > 0,
            replaces: isFirst ? nil : held?.pair.leaf.renewalIdentifier)
    }

    // MARK: When it is allowed

    struct Allowance: Sendable {
        var from: MonotonicInstant
        var authority: Int
        /// For the operator; `nil` where nothing stands against it.
        var reason: String?
    }

    /// The first authority is asked; after two failures in a row they take turns. One that said `Retry-After` is passed over.
    func allowance(at now: MonotonicInstant, failures: NameFailures) -> Allowance {
        var allowance = Allowance(from: now, authority: history.failures < 2 ? 0 : (history.failures - 1) % authorities.count)
        func delay(to instant: MonotonicInstant?, _ reason: String) {
            guard let instant, instant > allowance.from else { return }
            allowance.from = instant
            allowance.reason = reason
        }
        if !isRequested {
            if !isForeign { delay(to: quietUntil, "a certificate was obtained just before") }
            delay(to: history.pause, "backing off after \(history.failures) failures in a row")
        }
        delay(to: failures.allowed(managed.names, at: now), "there were \(NameFailures.limit) failures within an hour")
        let turns = authorities.indices.map { (allowance.authority + $0) % authorities.count }
        func blocked(_ index: Int) -> MonotonicInstant { history.blocks[authorities[index].directory] ?? now }
        if let free = turns.first(where: { blocked($0) <= allowance.from }) {
            allowance.authority = free
        } else if let soonest = turns.min(by: { blocked($0) < blocked($1) }) {
            allowance.authority = soonest
            delay(to: blocked(soonest), "the authority asked to wait")
        }
        return allowance
    }

    // MARK: What came of it

    mutating func request() { isRequested = true }
    mutating func withdrawRequest() { isRequested = false }

    mutating func succeeded(_ certificate: StoredCertificate, memory: ChallengeMemory, at now: Moment) {
        hold(certificate, at: now)
        history.succeed(memory)
        isRequested = false
        quietUntil = now.monotonic + Self.quiet(after: certificate, at: now)
    }

    /// - Returns: when the next attempt is.
    mutating func failed(
        _ failure: ACMEFailure, directory: String, wasRehearsal: Bool, at now: Moment, draw: Double, failures: NameFailures
    ) -> CertificateEvent {
        isRequested = false
        history.fail(failure, directory: directory, wasRehearsal: wasRehearsal, at: now, draw: draw)
        let next = now.wall(of: allowance(at: now.monotonic, failures: failures).from)
        // `fail` has just set it.
        let problem = history.problem!
        return .failed(names: managed.names, problem, nextAttempt: max(next, dueAt(now.wall)))
    }

    /// What the operator is to be told of the certificate's age.
    mutating func warnings(at now: Moment) -> [CertificateEvent] {
        guard let schedule else { return [] }
        var events: [CertificateEvent] = []
        let health = schedule.health(at: now.wall)
        if expiryWarning.isDue(health, at: now.monotonic) {
            events.append(.ending(names: managed.names, health, notAfter: schedule.notAfter))
        }
        // Authorities date a certificate back by an hour or more.
        if clockWarning.isDue(schedule.notBefore > now.wall ? .urgent : .sound, at: now.monotonic) {
            events.append(.clockDoubtful(names: managed.names, notBefore: schedule.notBefore))
        }
        return events
    }
}
