import GateCore

/// The order in which the addresses of a name are tried (RFC 8305, "happy eyeballs"): the families in turn, the next one as soon as one
/// fails or has taken ``ClientLimits/attemptDelay``, all of those begun racing on. A dead family costs a quarter of a second, not the
/// whole time limit.
struct AddressRace {
    enum Effect: Hashable {
        case attempt(IPAddress)
        /// Call ``tick(_:)`` then, unless something happens before.
        case wake(MonotonicInstant)
        /// Every address has failed.
        case lost
    }

    private var waiting: [IPAddress]
    private let delay: Duration
    private var running = 0
    private var nextAttempt: MonotonicInstant?

    /// - Parameter addresses: the most promising first, as getaddrinfo(3) sorts them (RFC 6724).
    init(_ addresses: [IPAddress], delay: Duration) {
        waiting = Self.interleaved(addresses).reversed()
        self.delay = delay
    }

    /// RFC 8305 §4: the families alternate, beginning with that of the first address. Each address once.
    static func interleaved(_ addresses: [IPAddress]) -> [IPAddress] {
        var seen: Set<IPAddress> = []
        let addresses = addresses.filter { seen.insert($0).inserted }
        let preferred = addresses.filter { $0.isIPv4 == addresses[0].isIPv4 }
        let other = addresses.filter { $0.isIPv4 != addresses[0].isIPv4 }
        var order: [IPAddress] = []
        for index in 0..<max(preferred.count, other.count) {
            if index < preferred.count { order.append(preferred[index]) }
            if index < other.count { order.append(other[index]) }
        }
        return order
    }

    mutating func start(_ now: MonotonicInstant) -> [Effect] { proceed(now) }

    /// One of the attempts has failed.
    mutating func failed(_ now: MonotonicInstant) -> [Effect] {
        running -= 1
        return proceed(now)
    }

    mutating func tick(_ now: MonotonicInstant) -> [Effect] {
        guard let nextAttempt, now >= nextAttempt else { return [] }
        return proceed(now)
    }

    private mutating func proceed(_ now: MonotonicInstant) -> [Effect] {
        nextAttempt = nil
        guard let address = waiting.popLast() else { return running == 0 ? [.lost] : [] }
        running += 1
        guard !waiting.isEmpty else { return [.attempt(address)] }
        let next = now + delay
        nextAttempt = next
        return [.attempt(address), .wake(next)]
    }
}
