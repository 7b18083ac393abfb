import GateCore
import NIOCore

/// The connections of one event loop by the host that they lead to: which one serves a request, how many there may be, how long an idle one
/// is kept, and who waits. No socket, no clock.
///
/// A connection that is being made belongs to the request that asked for it. A place is taken from the moment that ``lease(_:at:)`` says
/// `.connect` until ``vacate(_:)`` or, for an idle connection, ``idleClosed(_:of:)``.
struct ConnectionPool<Connection: AnyObject> {
    typealias Ticket = UInt64

    enum Lease {
        /// An idle connection, the one used last: it is the least likely to be closed.
        case use(Connection)
        /// There is a place for a new one, once `evicting` has been closed.
        case connect(evicting: Connection?)
        /// To be answered by a ``Grant`` with this ticket, or taken back by ``abandon(_:of:)``.
        case wait(Ticket)
        case overloaded
    }

    enum Grant {
        case use(Ticket, Connection)
        case connect(Ticket)
    }

    fileprivate struct Idle {
        let connection: Connection
        let expiry: MonotonicInstant
    }

    /// The connections to one destination. Whoever sends there again and again keeps it: nothing is looked up for a request then.
    final class Host {
        let destination: Destination
        /// How many connections there may be.
        let limit: Int
        /// The one used last stands last.
        fileprivate var idle: [Idle] = []
        /// Places taken: connections being made, in use, and idle.
        fileprivate var places = 0
        fileprivate var waiting = CircularBuffer<Ticket>()
        /// Whether the pool has it among its hosts: while it has a place or a waiter.
        fileprivate var isListed = false

        init(_ destination: Destination, limit: Int) {
            self.destination = destination
            self.limit = limit
        }
    }

    private let limits: ClientLimits
    private var hosts: [Destination: Host] = [:]
    private var places = 0
    private var idleCount = 0
    private var waitingCount = 0
    private var waitingHosts: Set<Destination> = []
    private var lastTicket: Ticket = 0

    init(limits: ClientLimits) { self.limits = limits }

    /// Connections being made, in use, and idle.
    var count: Int { places }
    var hasIdle: Bool { idleCount > 0 }
    var waiters: Int { waitingCount }

    /// The host of that destination, a new one where nobody is connected to it.
    func host(_ destination: Destination) -> Host {
        hosts[destination] ?? Host(destination, limit: destination.rules?.connections ?? limits.connectionsPerHost)
    }

    mutating func lease(_ host: Host, at now: MonotonicInstant) -> Lease {
        if let last = host.idle.popLast() {
            idleCount -= 1
            // Its place goes to the new one.
            return last.expiry > now ? .use(last.connection) : .connect(evicting: last.connection)
        }
        if host.places < host.limit {
            if places < limits.connections {
                take(host)
                return .connect(evicting: nil)
            }
            if let evicted = evictOldest() {
                take(host)
                return .connect(evicting: evicted)
            }
        }
        guard waitingCount < limits.waiting else { return .overloaded }
        lastTicket += 1
        waitingCount += 1
        list(host)
        waitingHosts.insert(host.destination)
        host.waiting.append(lastTicket)
        return .wait(lastTicket)
    }

    /// A connection that can take another request goes to who waits for one, or is kept until `expiry`.
    ///
    /// - Returns: `closing` is a connection that has to make room for one elsewhere, `grant` who goes on.
    mutating func release(
        _ connection: Connection, to host: Host, until expiry: MonotonicInstant
    ) -> (grant: Grant?, closing: Connection?) {
        if waitingCount > 0 {
            if let ticket = popWaiter(host) { return (.use(ticket, connection), nil) }
            if longestWaiting != nil { return (vacate(host), connection) }
        }
        host.idle.append(Idle(connection: connection, expiry: expiry))
        idleCount += 1
        return (nil, nil)
    }

    /// A connection in use is gone, or could not be made.
    mutating func vacate(_ host: Host) -> Grant? {
        free(1, of: host)
        guard let next = longestWaiting?.1, let ticket = popWaiter(next) else { return nil }
        take(next)
        return .connect(ticket)
    }

    /// An idle connection is gone. Nothing where it is none of the idle ones.
    mutating func idleClosed(_ connection: Connection, of host: Host) -> Grant? {
        guard let index = host.idle.lastIndex(where: { $0.connection === connection }) else { return nil }
        host.idle.remove(at: index)
        idleCount -= 1
        return vacate(host)
    }

    /// Takes back a ticket that has not been granted.
    mutating func abandon(_ ticket: Ticket, of host: Host) {
        guard let index = host.waiting.firstIndex(of: ticket) else { return }
        host.waiting.remove(at: index)
        waitingCount -= 1
        if host.waiting.isEmpty { waitingHosts.remove(host.destination) }
        tidy(host)
    }

    /// Gives up the idle connections to `host`: one of them was found closed, and the others are as old.
    mutating func dropIdle(_ host: Host) -> [Connection] {
        let dropped = host.idle.map(\.connection)
        host.idle = []
        idleCount -= dropped.count
        free(dropped.count, of: host)
        return dropped
    }

    /// Gives up what has been idle for too long.
    mutating func expire(at now: MonotonicInstant) -> [Connection] {
        guard idleCount > 0 else { return [] }
        var expired: [Connection] = []
        for host in hosts.values where host.idle.contains(where: { $0.expiry <= now }) {
            let old = host.idle.filter { $0.expiry <= now }
            host.idle.removeAll { $0.expiry <= now }
            idleCount -= old.count
            expired += old.map(\.connection)
            free(old.count, of: host)
        }
        return expired
    }

    /// Who has waited longest, of those whose host may have one more connection. While there is one, nothing is kept idle.
    private var longestWaiting: (Ticket, Host)? {
        guard !waitingHosts.isEmpty else { return nil }
        var longest: (Ticket, Host)?
        for name in waitingHosts {
            let host = hosts[name]!
            guard host.places < host.limit, let ticket = host.waiting.first, ticket < longest?.0 ?? .max else { continue }
            longest = (ticket, host)
        }
        return longest
    }

    /// Connections are gone; who waits for their places is the caller's to ask.
    private mutating func free(_ count: Int, of host: Host) {
        places -= count
        host.places -= count
        tidy(host)
    }

    private mutating func take(_ host: Host) {
        places += 1
        host.places += 1
        list(host)
    }

    /// Who goes on: the first that came, but the last where more wait than can be served at once. Of those who have waited that long most give
    /// up before they are answered; served in their order, a server that is asked for three times what it can do would answer hardly anyone
    /// who is still there (CHECKLIST 58).
    private mutating func popWaiter(_ host: Host) -> Ticket? {
        let next = host.waiting.count > host.limit ? host.waiting.popLast() : host.waiting.popFirst()
        guard let ticket = next else { return nil }
        waitingCount -= 1
        if host.waiting.isEmpty { waitingHosts.remove(host.destination) }
        return ticket
    }

    private mutating func evictOldest() -> Connection? {
        guard idleCount > 0 else { return nil }
        var oldest: (host: Host, expiry: MonotonicInstant)?
        for host in hosts.values {
            guard let first = host.idle.first, first.expiry < oldest?.expiry ?? MonotonicInstant(nanoseconds: .max) else { continue }
            oldest = (host, first.expiry)
        }
        guard let host = oldest?.host else { return nil }
        let evicted = host.idle.removeFirst().connection
        idleCount -= 1
        free(1, of: host)
        return evicted
    }

    private mutating func list(_ host: Host) {
        guard !host.isListed else { return }
        host.isListed = true
        hosts[host.destination] = host
    }

    private mutating func tidy(_ host: Host) {
        guard host.isListed, host.places == 0, host.waiting.isEmpty else { return }
        host.isListed = false
        hosts[host.destination] = nil
    }
}
