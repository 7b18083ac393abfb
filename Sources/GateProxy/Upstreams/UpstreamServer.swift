import GateCore
import GateHTTP
import Synchronization

/// One server of an application as all event loops know it: its health, and how much it has to do. Outlives a reload of the configuration.
///
/// Who sends a request reads one word that hardly ever changes; the lock is for failures and what follows them.
final class UpstreamServer: Sendable {
    enum Admission: Hashable {
        case open
        /// The caller is the one who finds out whether the server works again.
        case trial
        case suspended(until: MonotonicInstant)
        case down
    }

    private enum Cell {
        static let requests = 0
        static let failures = 1
        static let inFlight = 2
    }

    let rules: UpstreamRules.Server
    private let health = Mutex(ServerHealth())
    /// A digest of ``health``: 0 for a server that has nothing against it, 1 for one that serves, ``downWord``, or else the moment until
    /// which it is suspended.
    private let word = Atomic<UInt64>(0)
    private let cells = AtomicCells(3)

    private static let servingWord: UInt64 = 1
    private static let downWord = UInt64.max

    init(_ rules: UpstreamRules.Server) { self.rules = rules }

    /// For messages and metrics: the URL, or the path of the Unix socket.
    var name: String { rules.socket.map { "unix:\($0)" } ?? "\(rules.url.scheme.rawValue)://\(rules.url.authority)" }

    var inFlight: Int { Int(truncatingIfNeeded: cells.total(Cell.inFlight)) }
    var requests: UInt64 { cells.total(Cell.requests) }
    var failures: UInt64 { cells.total(Cell.failures) }
    /// Whether it is sent requests, or would be tried with one.
    func isHealthy(at now: MonotonicInstant) -> Bool {
        switch health.withLock({ $0.standing }) {
        case .serving: true
        case .suspended(let until): until <= now
        case .down: false
        }
    }

    /// - Parameter now: may be a little old.
    func admit(at now: MonotonicInstant, _ tolerance: ServerHealth.Tolerance) -> Admission {
        let word = word.load(ordering: .relaxed)
        if word <= Self.servingWord { return .open }
        if word == Self.downWord { return .down }
        let until = MonotonicInstant(nanoseconds: word)
        guard until <= now, update({ $0.beginTrial(at: now, tolerance) }) else { return .suspended(until: until) }
        return .trial
    }

    // MARK: Requests

    func began() {
        let stripe = AtomicCells.Stripe.current
        cells.add(1, to: Cell.requests, stripe: stripe)
        cells.add(1, to: Cell.inFlight, stripe: stripe)
    }

    /// The last byte has been passed on, or there will be none.
    func ended() { cells.add(.max, to: Cell.inFlight) }

    func succeeded() -> ServerHealth.Change? {
        guard word.load(ordering: .relaxed) != 0 else { return nil }
        return update { $0.succeeded() }
    }

    func failed(at now: MonotonicInstant, _ tolerance: ServerHealth.Tolerance) -> ServerHealth.Change? {
        cells.add(1, to: Cell.failures)
        return update { $0.failed(at: now, tolerance) }
    }

    func withdrawTrial(at now: MonotonicInstant) { update { $0.withdrawTrial(at: now) } }

    func checked(isGood: Bool) -> ServerHealth.Change? { update { $0.checked(isGood: isGood) } }

    private func update<Result: Sendable>(_ change: (inout ServerHealth) -> Result) -> Result {
        health.withLock { health in
            let result = change(&health)
            let digest: UInt64 =
                switch health.standing {
                case .serving: health.isClean ? 0 : Self.servingWord
                case .suspended(let until): min(max(until.nanoseconds, Self.servingWord + 1), Self.downWord - 1)
                case .down: Self.downWord
                }
            word.store(digest, ordering: .relaxed)
            return result
        }
    }
}
