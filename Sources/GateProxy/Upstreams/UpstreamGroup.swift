import GateCore

/// The servers of one application, and which of them the next request goes to. No socket, no clock.
final class UpstreamGroup: Sendable {
    struct Choice {
        /// Its place in ``servers``.
        let index: Int
        /// Whether the server is being tried: whoever gives up before it has answered or failed says so.
        let isTrial: Bool
    }

    let servers: [UpstreamServer]
    let tolerance: ServerHealth.Tolerance
    private let balance: UpstreamRules.Balance
    /// Each event loop takes turns by itself: a common turn would be a cache line that they all fight for.
    private let turns = AtomicCells(1)

    /// - Parameter previous: of the configuration before: a server that both have keeps its health and its numbers.
    init(_ rules: UpstreamRules, adopting previous: UpstreamGroup? = nil) {
        servers = rules.servers.map { server in previous?.servers.first { $0.rules == server } ?? UpstreamServer(server) }
        tolerance = ServerHealth.Tolerance(failures: rules.maxFailures, window: rules.failWindow)
        balance = rules.balance
    }

    /// The server for a request; `nil` where every one was tried already or is down.
    ///
    /// Servers that are suspended are left out as long as there are others. Where there are none, the one that has been suspended longest is
    /// asked: it costs a failure at worst, and an application that is back answers at once.
    /// - Parameter tried: places of servers that this request has failed on.
    func choose(excluding tried: [Int] = [], at now: MonotonicInstant) -> Choice? {
        if servers.count == 1 {
            guard tried.isEmpty else { return nil }
            return switch servers[0].admit(at: now, tolerance) {
            case .open, .suspended: Choice(index: 0, isTrial: false)
            case .trial: Choice(index: 0, isTrial: true)
            case .down: nil
            }
        }
        let stripe = AtomicCells.Stripe.current
        let start = Int(truncatingIfNeeded: (turns.add(1, to: 0, stripe: stripe) &+ UInt64(stripe.index)) % UInt64(servers.count))
        var resort: (index: Int, until: MonotonicInstant)?
        var least: (index: Int, load: Int)?
        for step in 0..<servers.count {
            let index = (start + step) % servers.count
            if !tried.isEmpty, tried.contains(index) { continue }
            switch servers[index].admit(at: now, tolerance) {
            case .open where balance == .roundRobin: return Choice(index: index, isTrial: false)
            case .open:
                let load = servers[index].inFlight
                if load < least?.load ?? .max { least = (index, load) }
            // Whoever is told so has to try it, whatever the load.
            case .trial: return Choice(index: index, isTrial: true)
            case .suspended(let until): if until < resort?.until ?? MonotonicInstant(nanoseconds: .max) { resort = (index, until) }
            case .down: break
            }
        }
        return (least?.index ?? resort?.index).map { Choice(index: $0, isTrial: false) }
    }
}
