import GateCore
import NIOCore

/// The connections of one event loop that have been accepted and do not speak HTTP yet: those in their TLS handshake.
///
/// They are ordered by age, which is also the order of their deadlines. Where there are too many, the oldest of the network that has the
/// most has to go: a flood from a few networks pushes out its own, however slowly an honest client's handshake comes along. A flood from
/// as many networks as connections pushes out the oldest, and an honest client is through within a few round trips.
struct Entrance {
    final class Entrant {
        let channel: any Channel
        /// `nil` on a Unix socket.
        let network: IPNetwork?
        let deadline: MonotonicInstant
        fileprivate var newer: Entrant?
        fileprivate unowned(unsafe) var older: Entrant?
        fileprivate var isInside = false

        init(_ channel: any Channel, from network: IPNetwork?, deadline: MonotonicInstant) {
            self.channel = channel
            self.network = network
            self.deadline = deadline
        }
    }

    private let limit: Int
    private var oldest: Entrant?
    private var newest: Entrant?
    private(set) var count = 0
    private var populations: [IPNetwork?: Int] = [:]

    /// - Parameter limit: how many may be in it.
    init(limit: Int) { self.limit = max(1, limit) }

    /// Returns who has to go for it: the caller closes that channel.
    mutating func add(_ entrant: Entrant) -> Entrant? {
        entrant.isInside = true
        entrant.older = newest
        newest?.newer = entrant
        newest = entrant
        if oldest == nil { oldest = entrant }
        count += 1
        populations[entrant.network, default: 0] += 1
        return count > limit ? removeFromLargest() : nil
    }

    /// Nothing where it is not in it any more.
    mutating func remove(_ entrant: Entrant) {
        guard entrant.isInside else { return }
        entrant.isInside = false
        count -= 1
        if let population = populations[entrant.network] {
            populations[entrant.network] = population > 1 ? population - 1 : nil
        }
        let newer = entrant.newer
        let older = entrant.older
        entrant.newer = nil
        entrant.older = nil
        if let newer { newer.older = older } else { newest = older }
        if let older { older.newer = newer } else { oldest = newer }
    }

    /// The oldest of those networks that have the most; in a time that grows with the limit.
    mutating func removeFromLargest() -> Entrant? {
        guard let largest = populations.values.max() else { return nil }
        var entrant = oldest
        while let candidate = entrant, populations[candidate.network] != largest { entrant = candidate.newer }
        guard let entrant else { return nil }
        remove(entrant)
        return entrant
    }

    mutating func removeOldest() -> Entrant? {
        guard let entrant = oldest else { return nil }
        remove(entrant)
        return entrant
    }

    /// The oldest, if its time is over.
    mutating func removeExpired(at now: MonotonicInstant) -> Entrant? {
        guard let oldest, now >= oldest.deadline else { return nil }
        return removeOldest()
    }
}
