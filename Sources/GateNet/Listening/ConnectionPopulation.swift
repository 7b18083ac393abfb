import GateCore
import Synchronization

/// How many connections there are, and whether one more may be.
final class ConnectionPopulation: Sendable {
    private let limit: Int
    private let limitPerClient: Int?
    private let total = Atomic<Int>(0)
    /// Those among them that speak HTTP/2.
    private let multiplexed = Atomic<Int>(0)
    private let emptiness = Mutex<Gate?>(nil)
    private let perClient = Mutex<[IPNetwork: Int]>([:])

    init(limits: ServerLimits) {
        limit = limits.connections
        limitPerClient = limits.connectionsPerClient
    }

    var count: Int { total.load(ordering: .relaxed) }

    var multiplexedCount: Int { multiplexed.load(ordering: .relaxed) }

    func beginMultiplexing() { multiplexed.add(1, ordering: .relaxed) }
    func endMultiplexing() { multiplexed.subtract(1, ordering: .relaxed) }

    /// Opens when the last connection has left, or at once where there is none.
    func emptied() -> Gate {
        let gate = emptiness.withLock { gate in
            let made = gate ?? Gate()
            gate = made
            return made
        }
        if total.load(ordering: .sequentiallyConsistent) == 0 { gate.open() }
        return gate
    }

    /// Counts a new connection, which is to be left by ``leave(_:)`` in any case; false where it is one too many.
    func enter(_ client: IPAddress?) -> Bool {
        let isWithin = total.add(1, ordering: .relaxed).newValue <= limit
        guard let limitPerClient, let network = client?.limitedNetwork else { return isWithin }
        return perClient.withLock { counts in
            counts[network, default: 0] += 1
            return counts[network]! <= limitPerClient
        } && isWithin
    }

    func leave(_ client: IPAddress?) {
        if total.subtract(1, ordering: .sequentiallyConsistent).newValue == 0 { emptiness.withLock { $0 }?.open() }
        guard limitPerClient != nil, let network = client?.limitedNetwork else { return }
        perClient.withLock { counts in
            guard let count = counts[network] else { return }
            counts[network] = count > 1 ? count - 1 : nil
        }
    }
}
